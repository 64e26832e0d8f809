"""The ledger's verbs, by worked examples."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.models import Organization
from billing import ledger
from billing.models import JobHold, LedgerEntry, Lot, Transfer, Wallet
from billing.models.append_only import RowIsFinal
from billing.posting import TransferConflict
from imageskill.lib import ids

pytestmark = pytest.mark.django_db


@pytest.fixture
def org(db) -> int:
    organization = Organization.objects.create()
    ledger.open_wallets(organization_id=organization.pk)
    return organization.pk


def give(org: int, *, preview: int = 0, paid: int = 0) -> str:
    receipt_id = ids.new("receipt")
    if preview:
        ledger.grant_preview(
            organization_id=org,
            credits=preview,
            key=ids.new("agent"),
            actor="tests",
            reason="tests",
            reference="tests",
        )
    if paid:
        ledger.grant_paid(
            organization_id=org, receipt_id=receipt_id, credits=paid, actor="tests"
        )
    return receipt_id


class TestHold:
    def test_takes_preview_credits_first_then_paid_ones(self, org):
        give(org, preview=5, paid=10)

        held = ledger.hold(organization_id=org, job_id="job_a", credits=9, actor="tests")

        assert held == (5, 4)
        assert ledger.balances(org) == (0, 6, 9, 0)

    def test_refuses_what_is_not_there_and_writes_nothing(self, org):
        give(org, preview=5)

        with pytest.raises(ledger.InsufficientCredits) as refused:
            ledger.hold(organization_id=org, job_id="job_a", credits=6, actor="tests")

        assert ledger.balances(org) == (5, 0, 0, 0)
        assert not JobHold.objects.exists()
        assert "credits quote" in refused.value.recovery["suggested_command"]
        assert refused.value.recovery["top_up"]["recommended"]
