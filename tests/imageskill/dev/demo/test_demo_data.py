"""A history pays at the stand-in, and is never told beside real money or closed months."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Agent, Organization, User
from billing.ledger import checks
from billing.models import Difference, JobHold, MonthClose, Quote, Receipt
from billing.reconciliation import month_close
from billing.reversals import refund_sending, refunds
from imageskill.dev.demo import bulk, history
from imageskill.dev.standins.server import serve
from imageskill.dev.standins.stripe import StripeStandIn
from jobs.catalog import switches
from jobs.models import Job

TINY = {"agents": 20, "jobs": 40, "reports": 10}


@pytest.fixture
def storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    yield
    switches.clear_cache()  # one model was switched off


@pytest.fixture
def running(settings):
    """Stripe's stand-in as `make run` has it, beside the one in which the history pays."""
    stand_in = StripeStandIn()
    with serve(stand_in) as base_url:
        settings.STRIPE_API_BASE_URL = base_url
        settings.STRIPE_SECRET_KEY = "sk_test_standin"
        settings.STRIPE_WEBHOOK_SECRETS = ["whsec_for_tests"]
        yield stand_in


def make(seed=1, bulk=0):
    history.make(seed=seed, size=history.Size(**TINY, bulk=bulk), say=lambda text: None)


@pytest.mark.django_db
@pytest.mark.usefixtures("storage")
class TestMaking:
    def test_another_seed_makes_another_one_beside_it(self, running):
        make(seed=3)
        first = set(Agent.objects.values_list("public_id", "name", "claim_state"))
        make(seed=4)
        both = set(Agent.objects.values_list("public_id", "name", "claim_state"))
        assert len(both) == 2 * len(first)
        with pytest.raises(history.Refused, match="seed"):
            make(seed=3)
        # The second one went into the months that the first one had closed.
        assert checks.find_problems() == []
        assert MonthClose.objects.filter(reopened_at=None).count() >= 2
        # Nor did it make anything of the first one's payments, which Stripe knows.
        missing = Difference.objects.filter(reason="missing_movement", state="open")
        assert missing.count() == 2
        self.assert_refundable(running)

    def assert_refundable(self, running):
        """Refund the latest payment at the stand-in that was running all along."""
        receipt = Receipt.objects.filter(
            payment_method="stripe_checkout", reversals=None, refund_block=None
        ).last()
        support = User.objects.get(email="support-3@staff.example")
        asked = refunds.request(
            receipt=receipt,
            amount_cents=1,
            reason_code="requested_by_customer",
            reason="a cent",
            user=support,
        )
        refund_sending.send(request_id=asked.pk)
        asked.refresh_from_db()
        assert (asked.failure, asked.reversal.state) == ("", "applied")
        assert running.account.get(asked.stripe_refund_id)["charge"] == receipt.charge_id

    def test_is_refused_beside_real_keys(self, settings):
        settings.STRIPE_SECRET_KEY = "sk_test_of_an_account"
        with pytest.raises(history.Refused, match="stand-ins"):
            make()

    def test_is_refused_where_somebody_closed_a_month(self, financier):
        settled = timezone.now().date() - timedelta(days=10)  # a month is closed some days after it
        before = settled.replace(day=1) - timedelta(days=1)
        month_close.close(month=before, user=financier, reason="it is over")
        with pytest.raises(history.Refused, match="closed"):
            make()

    def test_is_refused_where_money_was_taken(self, agent):
        quote = Quote.objects.create(
            organization=agent.organization,
            agent=agent.agent,
            idempotency_key="k",
            payment_method="stripe_checkout",
            credits=5,
            price_cents=5,
            expires_at=timezone.now(),
        )
        Receipt.objects.create(
            public_id="receipt_1",
            number="IS-2026-000001",
            organization=agent.organization,
            quote=quote,
            payment_method="stripe_checkout",
            environment="live",
            idempotency_key="k",
            credits=5,
            amount_cents=5,
            currency="USD",
            balance_after=5,
        )
        with pytest.raises(CommandError, match="live receipts"):
            call_command("demo_data")
        assert Organization.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("storage")
class TestBulk:
    def test_closes_months_after_it(self):
        make(bulk=200)
        assert Job.objects.count() > 250
        assert checks.find_problems() == []

    def test_leaves_the_books_clean(self, agent, monkeypatch):
        monkeypatch.setattr(bulk, "_AT_ONCE", 150)
        bulk.add(jobs=350, say=lambda text: None)
        assert Job.objects.count() == JobHold.objects.count() == 350
        assert checks.find_problems() == []
