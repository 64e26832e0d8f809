"""Making credits and spending them, for tests; and the check that every one of them ends with."""

from datetime import timedelta

import pytest
from django.db import transaction

from accounts.models import Organization, User
from billing import ledger
from billing.chart import Purpose
from billing.ledger import checks
from billing.models import Quote, Receipt, Wallet
from imageskill.lib import clock, ids


@pytest.fixture
def org(db: None) -> int:
    """An organization with empty wallets; afterwards the books must be in order."""
    return new_org()


@pytest.fixture
def books_in_order(db: None):
    """Check the books when the test is over."""
    yield
    assert list(checks.ledger_problems()) == []


def new_org() -> int:
    with transaction.atomic():
        organization = Organization.objects.create()
        ledger.open_wallets(organization_id=organization.pk)
    return organization.pk


def give(org: int, credits: int) -> None:
    """Return free credits."""
    with transaction.atomic():
        ledger.grant_preview(
            organization_id=org,
            credits=credits,
            key=f"tests:{ids.random_text(12)}",
            actor="tests",
            reason="tests",
            reference="tests",
        )


def buy(org: int, credits: int, *, charge_id: str = "", discount: int = 0) -> Receipt:
    """Buy credits: quote, receipt and grant, as fulfillment leaves them."""
    buyer, _ = User.objects.get_or_create(email="buyer@example.com")
    receipt_id = ids.new("receipt")
    with transaction.atomic():
        quote = Quote.objects.create(
            organization_id=org,
            user=buyer,
            idempotency_key=ids.random_text(12),
            payment_method="stripe_checkout",
            credits=credits,
            price_cents=credits,
            expires_at=clock.now() + timedelta(minutes=30),
        )
        grant = ledger.grant_paid(
            organization_id=org, receipt_id=receipt_id, credits=credits, actor="tests"
        )
        return Receipt.objects.create(
            public_id=receipt_id,
            number=f"TEST-2026-{ids.random_text(8)}",
            organization_id=org,
            quote=quote,
            payment_method="stripe_checkout",
            environment="stand_in",
            idempotency_key=quote.idempotency_key,
            credits=credits,
            amount_cents=credits - discount,
            discount_cents=discount,
            currency="USD",
            owed_settled_credits=grant.settled,
            balance_after=ledger.balances(org).paid,
            charge_id=charge_id,
            payment_intent_id=charge_id.replace("ch_", "pi_"),
        )


def hold(org: int, job_id: str, credits: int) -> ledger.Hold:
    with transaction.atomic():
        return ledger.hold(organization_id=org, job_id=job_id, credits=credits, actor="tests")


def capture(org: int, job_id: str, credits: int) -> ledger.Capture:
    with transaction.atomic():
        return ledger.capture(organization_id=org, job_id=job_id, credits=credits)


def release(org: int, job_id: str) -> ledger.Hold:
    with transaction.atomic():
        return ledger.release(organization_id=org, job_id=job_id, reason="tests")


def spend(org: int, credits: int) -> str:
    """Run a job of that price."""
    job_id = ids.new("job")
    hold(org, job_id, credits)
    capture(org, job_id, credits)
    return job_id


def house(purpose: Purpose) -> int:
    return Wallet.objects.get(organization=None, purpose=purpose).balance
