"""Tables as long as they get: what lists, filters and searches are planned against."""

from django.db import connection
from django.db.models import Max, Model

from accounts.models import AuditLine, Claim, User
from billing.models import (
    BalanceMovement,
    CreditCorrection,
    Difference,
    Lot,
    PaymentAttempt,
    PaymentReversal,
    Quote,
    Receipt,
    RefundRequest,
    StripeEvent,
    UnmatchedPayment,
)
from feedback.models import Report
from imageskill.dev.demo import bulk
from jobs.models import Job, Loss

JOBS = 25_000  # with their 50,000 transfers and 100,000 entries
ROWS = 10_000  # of everything else that grows


def fill(*, jobs: int = JOBS, rows: int = ROWS) -> None:
    """Add many rows of each kind to a history, in the caller's transaction."""
    bulk.add(jobs=jobs, say=lambda text: None)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    _money(rows)
    _spread(User, rows, email="'p' || n || '@many.example'", is_staff="false", is_superuser="false")
    _spread(
        AuditLine,
        rows,
        subject="'agt_' || n",
        actor="'p' || n || '@many.example'",
        action="CASE n % 9 WHEN 0 THEN 'prompt.show' ELSE 'agent.claim' END",
    )
    _spread(
        Claim,
        rows,
        public_id="'claim_' || n",
        digest="sha256(n::text::bytea)",
        agent_id="(SELECT max(id) FROM accounts_agent) - 1 - n % 200",
    )
    job = Job.objects.aggregate(last=Max("pk"))["last"] - rows
    _spread(Loss, rows, job_id=f"{job} + n", reason="(ARRAY['canceled', 'too_late'])[1 + n % 2]")
    states = "CASE WHEN n > 50 THEN 'declined' ELSE (ARRAY['watch', 'new'])[n % 2 + 1] END"
    template = Report.objects.filter(duplicate_of=None).first()
    _spread(
        Report,
        rows // 3,  # the board counts them by state: thousands, not millions
        template,
        public_id="'sig_' || n",
        dedupe_key="'key-' || n",
        title="'words ' || md5(n::text)",
        state=states,
        severity="(ARRAY['low', 'medium', 'high', 'critical'])[1 + n % 4]",
    )
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("ANALYZE")


def _money(rows: int) -> None:
    _spread(
        Quote,
        rows,
        public_id="'quote_' || n",
        idempotency_key="'many' || n",
        payment_method="(ARRAY['fake', 'stripe_checkout'])[1 + n % 2]",
        pack_id="CASE n % 500 WHEN 0 THEN 'studio-5000' WHEN 1 THEN '' ELSE 'starter-500' END",
    )
    quote = Quote.objects.aggregate(last=Max("pk"))["last"] - rows
    _spread(
        PaymentAttempt,
        rows,
        public_id="'payatt_' || n",
        quote_id=f"{quote} + n",
        idempotency_key="'many' || n",
        checkout_session_id="'cs_' || n",
        payment_intent_id="'pi_' || n",
        status="CASE WHEN n % 200 = 0 THEN 'failed' ELSE 'expired' END",
    )
    _spread(
        Receipt,
        rows,
        public_id="'receipt_' || n",
        number="'TEST-2020-' || n",
        quote_id=f"{quote} + n",
        attempt_id="NULL::bigint",
        idempotency_key="'many' || n",
        credit_event_id="'credit_event_' || n",
        payment_intent_id="'pi_' || n",
        charge_id="'ch_' || n",
        environment="CASE WHEN n % 100 = 0 THEN 'test' ELSE 'stand_in' END",
        payment_method="CASE WHEN n % 100 = 0 THEN 'fake' ELSE 'stripe_checkout' END",
        issued_at=f"now() - ({rows} - n) * interval '1 h'",
    )
    _spread(
        StripeEvent,
        rows,
        StripeEvent.objects.filter(state="ignored").first(),
        event_id="'evt_' || n",
        object_id="'pi_' || n",
        related_ids="ARRAY['pi_' || n]",
    )
    receipt = f"{Receipt.objects.aggregate(last=Max('pk'))['last'] - rows} + n"
    _spread(
        BalanceMovement,
        rows,
        stripe_id="'txn_' || n",
        source_id="'ch_' || n",
        receipt_id=receipt,
        reversal_id="NULL::bigint",
    )
    _spread(
        Difference,
        rows,
        key="'key' || n",
        stripe_id="'ch_' || n",
        state="'agreed'",
        receipt_id=receipt,
        reversal_id="NULL::bigint",
    )
    undone = PaymentReversal.objects.filter(state="undone").first()
    _spread(
        PaymentReversal,
        rows,
        undone,
        public_id="'payment_reversal_' || n",
        stripe_id="'re_' || n",
        charge_id="'ch_' || n",
        credit_event_id="'credit_event_r' || n",
        reason="CASE WHEN n % 100 = 0 THEN 'fraudulent' ELSE '' END",
    )
    finished = RefundRequest.objects.exclude(finished_at=None).first()
    _spread(
        RefundRequest,
        rows,
        finished,
        stripe_key="'key' || n",
        requested_at="now() - n * interval '1 h'",
    )
    _spread(CreditCorrection, rows, CreditCorrection.objects.filter(state="approved").first())
    _spread(Lot, rows, reference="'receipt_' || n", organization_id="(n % 40) + 1")
    _spread(
        UnmatchedPayment,
        rows,
        quote_id=f"{quote} + n",
        checkout_session_id="'cs_' || n",
        payment_intent_id="'pi_' || n",
        charge_id="'ch_' || n",
        state="CASE WHEN n < 20 THEN 'open' ELSE 'refunded' END",
    )


def _spread(model: type[Model], rows: int, template: Model | None = None, **columns: str) -> None:
    """Add copies of a row with these columns told apart by the expression given for them."""
    template = template or model._default_manager.first()
    names = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    values = [columns.get(name, f'template."{name}"') for name in names]
    quoted = ", ".join(f'"{name}"' for name in names)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({quoted}) SELECT {', '.join(values)}"
            f" FROM {table} template, generate_series(1, {rows}) n"
            f" WHERE template.id = {template.pk}"
        )
