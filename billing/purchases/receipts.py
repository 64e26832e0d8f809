"""Receipts: what a payment granted, numbered without gaps, never changed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from accounts import activity
from accounts.claims import states
from accounts.mail import alerts
from accounts.models import Agent, Alert, User
from billing import ledger
from billing.models import Environment, PaymentAttempt, Quote, Receipt
from billing.purchases import receipt_document
from billing.stripe.objects import CheckoutSession, PaidWith
from imageskill.lib import amounts, clock, ids, trace
from imageskill.lib.errors import NotFound

LIVE_PREFIX = "IS"
TEST_PREFIX = "TEST"

_NEXT_NUMBER = """
INSERT INTO billing_receiptseries AS series (prefix, year, last_number) VALUES (%s, %s, 1)
ON CONFLICT (prefix, year) DO UPDATE SET last_number = series.last_number + 1
RETURNING last_number
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What was paid, how, and by whom, as the receipt keeps it."""

    amount_cents: int
    discount_cents: int = 0
    tax_cents: int = 0
    is_tax_included: bool = False
    tax_reason: str = ""
    billed_to: dict[str, Any] = field(default_factory=dict)
    paid_with: PaidWith = field(default_factory=PaidWith)
    payment_intent_id: str = ""
    charge_id: str = ""

    @classmethod
    def of_session(cls, session: CheckoutSession) -> "Payment":
        """Return the payment of a paid Checkout session."""
        discounted = session.amount_subtotal_cents - session.discount_cents
        return cls(
            amount_cents=session.amount_total_cents,
            discount_cents=session.discount_cents,
            tax_cents=session.tax_cents,
            is_tax_included=bool(session.tax_cents) and session.amount_total_cents == discounted,
            tax_reason=session.tax_reason,
            billed_to=session.billed_to,
            paid_with=session.paid_with,
            payment_intent_id=session.payment_intent_id,
            charge_id=session.charge_id,
        )


def issue(
    *,
    quote: Quote,
    environment: str,
    idempotency_key: str,
    actor: str,
    attempt: PaymentAttempt | None = None,
    payment: Payment,
) -> Receipt:
    """Grant a quote's credits and create the receipt, in the caller's transaction.

    The caller has locked the quote and found no receipt; a unique constraint backs that. Locks the
    agent, then the wallets, then the number series. Debts are settled first; the receipt says how
    much that took.
    """
    receipt_id = ids.new("receipt")
    if quote.agent_id is not None:
        _mark_payment_backed(quote.agent_id)
    grant = ledger.grant_paid(
        organization_id=quote.organization_id,
        receipt_id=receipt_id,
        credits=quote.credits,
        actor=actor,
    )
    now = clock.now()
    sponsor = User.objects.filter(organizations=quote.organization_id).first()
    receipt = Receipt(
        public_id=receipt_id,
        number=_next_number(environment, now),
        organization_id=quote.organization_id,
        agent_id=quote.agent_id,
        quote=quote,
        attempt=attempt,
        payment_method=quote.payment_method,
        environment=environment,
        idempotency_key=idempotency_key,
        credits=quote.credits,
        amount_cents=payment.amount_cents,
        discount_cents=payment.discount_cents,
        tax_cents=payment.tax_cents,
        is_tax_included=payment.is_tax_included,
        tax_reason=payment.tax_reason,
        payer=_payer(quote, payment, sponsor),
        seller=receipt_document.seller_of_today(),
        billed_to=payment.billed_to,
        method_kind=payment.paid_with.kind,
        method_brand=payment.paid_with.brand,
        method_last4=payment.paid_with.last4,
        paid_at=payment.paid_with.at or now,
        currency=quote.currency,
        owed_settled_credits=grant.settled,
        balance_after=grant.paid_after,
        payment_intent_id=payment.payment_intent_id,
        charge_id=payment.charge_id,
        trace_id=quote.trace_id,
        issued_at=now,
    )
    receipt.save(force_insert=True)
    _record(receipt)
    _mail(receipt, sponsor)
    return receipt


def find(*, receipt_id: str, organization_id: int) -> Receipt:
    """Return a receipt of this organization; raises NotFound."""
    receipt: Receipt | None = (
        Receipt.objects.select_related("quote", "organization", "agent", "attempt")
        .filter(public_id=receipt_id, organization_id=organization_id)
        .first()
    )
    if receipt is None:
        raise NotFound("There is no such receipt, or it is not yours.")
    return receipt


def _next_number(environment: str, now: datetime) -> str:
    """Return the year's next number; its row stays locked until the transaction ends."""
    prefix = LIVE_PREFIX if environment == Environment.LIVE else TEST_PREFIX
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_NUMBER, [prefix, now.year])
        [number] = cursor.fetchone()
    return f"{prefix}-{now.year}-{number:06}"


def _payer(quote: Quote, payment: Payment, sponsor: User | None) -> User | None:
    """Return the account that paid: the buyer, whose email Stripe has, or the sponsor of the day.

    Without a sponsor and without an account of that email it is nobody's, until one is known.
    """
    if quote.user_id is not None:
        return quote.user
    email = payment.billed_to.get("email", "")
    known = User.objects.filter(email__iexact=email, is_active=True).first() if email else None
    return known or sponsor


def _mark_payment_backed(agent_id: int) -> None:
    agent = Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
    if agent.claim_state == Agent.ClaimState.UNCLAIMED:
        states.transition(agent, to=Agent.ClaimState.PAYMENT_BACKED_UNCLAIMED)


def _record(receipt: Receipt) -> None:
    activity.record(
        activity.event(
            type="credits.payment_backed_granted",
            organization_id=receipt.organization_id,
            agent_id=receipt.agent_id,
            subject_id=receipt.credit_event_id,
            operation="credits",
            summary=f"{receipt.credits} credits granted",
            status="succeeded",
            links={
                "quote_id": receipt.quote.public_id,
                "receipt_id": receipt.public_id,
                "credit_event_id": receipt.credit_event_id,
            },
            details={
                "receipt_number": receipt.number,
                "credits": receipt.credits,
                "owed_settled_credits": receipt.owed_settled_credits,
                "amount_cents": receipt.amount_cents,
                "currency": receipt.currency,
                "accepted_payment_method": receipt.payment_method,
                "environment": receipt.environment,
            },
            trace_id=receipt.trace_id or None,
            also_found_by=(
                trace.current(),
                *((receipt.attempt.public_id,) if receipt.attempt else ()),
            ),
        )
    )


def _mail(receipt: Receipt, sponsor: User | None) -> None:
    """Mail the receipt's content to who paid; a sponsor who did not hears of the credits."""
    people = {user.pk: user for user in (receipt.payer, sponsor) if user}
    if not people:
        return
    names = Agent.objects.filter(organization_id=receipt.organization_id).order_by("pk")
    agent = ", ".join(names.values_list("name", flat=True)[:3])
    for user in people.values():
        document = receipt_document.build(receipt, shows_payer=user == receipt.payer)
        facts = {
            "agent": agent,
            "credits": receipt.credits,
            "amount": amounts.format_amount(
                receipt.amount_cents, receipt.currency, with_symbol=True
            ),
            "number": receipt.number,
            "live": receipt.is_live,
            "rows": document.rows(),
        }
        alerts.notify(
            user, Alert.Kind.PURCHASE, receipt.public_id, cause=receipt.public_id, facts=facts
        )
