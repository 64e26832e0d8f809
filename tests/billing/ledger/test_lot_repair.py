"""`repair_lots`: shows what it would set, sets what is explained, and leaves everything else."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from accounts.models import AuditLine, Organization
from billing import ledger
from billing.chart import TransferKind
from billing.ledger import checks, posting
from billing.models import Lot, LotPart
from billing.reversals import applying
from tests.billing.money import buy, hold, new_org, release, spend
from tests.billing.stripe_facts import dispute, refund

pytestmark = pytest.mark.django_db


def damage(sql: str, *values: object) -> None:
    """Change lots as a faulty release could: without the database's check at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE billing_lot DISABLE TRIGGER USER")
        cursor.execute(sql, values)
        cursor.execute("ALTER TABLE billing_lot ENABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def repair(*options: str) -> str:
    out = StringIO()
    call_command("repair_lots", *options, stdout=out)
    return out.getvalue()


def left(org: int) -> dict[str, int]:
    return dict(Lot.objects.filter(organization_id=org).values_list("reference", "left"))


def name(org: int) -> str:
    return Organization.objects.get(pk=org).public_id


@pytest.fixture
def receipt(org):
    """A purchase whose dispute was won after a hold came back; its lot kept only the settled part.

    500 are paid, and the lot has 22 of them.
    """
    receipt = buy(org, 500, charge_id="ch_a")
    hold(org, "job_a", 22)
    applying.apply_dispute(dispute("du_a", "ch_a", 500))
    release(org, "job_a")
    applying.apply_dispute(dispute("du_a", "ch_a", 500, status="won", reinstated=True))
    damage('UPDATE billing_lot SET "left" = 22 WHERE reference = %s', receipt.public_id)
    return receipt


@pytest.fixture
def unexplained() -> int:
    """An organization with more in its lots, by their parts too, than its ledger says."""
    other = new_org()
    buy(other, 300)
    spend(other, 40)
    damage(
        'UPDATE billing_lot SET granted = 310, "left" = 265 WHERE organization_id = %s',
        other,
    )
    return other


class TestDamageThatPartsExplain:
    def test_is_shown_and_not_touched_without_apply(self, org, receipt):
        said = repair()

        assert f"{name(org)}: 500 paid, 22 in lots\n" in said
        assert f"would set: {receipt.public_id} from 22 to 500\n" in said
        assert "--apply repairs them: 1. Not explained: 0." in said
        assert left(org) == {receipt.public_id: 22}
        assert not AuditLine.objects.filter(action="lots.repair").exists()

    def test_is_repaired_once_and_the_books_are_in_order(self, org, receipt):
        assert f"set: {receipt.public_id} from 22 to 500\n" in repair("--apply")

        assert left(org) == {receipt.public_id: 500}
        assert list(checks.ledger_problems()) == []
        assert repair("--apply") == "Organizations repaired: 0. Not explained: 0.\n"
        assert AuditLine.objects.filter(action="lots.repair").count() == 1

    def test_is_audited_with_what_lots_said_before(self, org, receipt):
        repair("--apply")

        line = AuditLine.objects.get(action="lots.repair")
        assert (line.actor, line.subject) == ("manage.py repair_lots", name(org))
        assert line.before == {"in lots": 22, receipt.public_id: 22}
        assert line.after == {"in lots": 500, receipt.public_id: 500}

    def test_spent_from_meanwhile_is_repaired_to_what_is_left(self, org, receipt):
        spend(org, 20)
        assert left(org) == {receipt.public_id: 2}

        repair("--apply")

        assert left(org) == {receipt.public_id: 480}
        assert list(checks.ledger_problems()) == []

    def test_lets_a_refund_through_that_found_too_little_in_lots(self, org, receipt):
        with pytest.raises(AssertionError, match="lack 478 credits"), transaction.atomic():
            applying.apply_refund(refund("re_a", "ch_a", 500))
        repair("--apply")

        applying.apply_refund(refund("re_a", "ch_a", 500))

        assert ledger.balances(org) == (0, 0, 0, 0)
        assert left(org) == {receipt.public_id: 0}

    def test_of_several_lots_sets_those_that_are_wrong(self, org, receipt):
        second = buy(org, 100).public_id

        assert second not in repair("--apply")

        assert left(org) == {receipt.public_id: 500, second: 100}
        assert list(checks.ledger_problems()) == []


class TestWhatIsNotExplained:
    def test_is_listed_left_alone_and_fails_the_command(self, org, receipt, unexplained):
        out = StringIO()

        with pytest.raises(CommandError, match="left unchanged"):
            call_command("repair_lots", "--apply", stdout=out)

        said = out.getvalue()
        assert f"{name(unexplained)}: 260 paid, 265 in lots\n" in said
        assert "not explained: grants less parts are 270\n" in said
        assert "Organizations repaired: 1. Not explained: 1.\n" in said
        assert list(left(unexplained).values()) == [265]
        assert left(org) == {receipt.public_id: 500}

    def test_fails_a_dry_run_too(self, unexplained):
        with pytest.raises(CommandError):
            repair()

    def test_is_not_made_up_for_by_another_lot(self, org):
        """The lots add up to the wallet, by their parts they don't."""
        first, second = buy(org, 100), buy(org, 100)
        spend(org, 100)
        LotPart.objects.update(taken=90)

        with pytest.raises(CommandError):
            repair("--apply")

        assert left(org) == {first.public_id: 0, second.public_id: 100}


class TestBooksInOrder:
    def test_have_nothing_to_repair(self, org):
        buy(org, 500)
        spend(org, 120)

        assert repair() == "Organizations to repair; --apply repairs them: 0. Not explained: 0.\n"


class TestTheDatabaseRefuses:
    """At commit, whatever wrote it."""

    def test_a_lot_that_is_set_to_anything_else(self, org):
        buy(org, 500)

        with pytest.raises(IntegrityError, match="500 paid, 22 in lots"):
            self._commit(lambda: Lot.objects.filter(organization_id=org).update(left=22))

    def test_paid_credits_that_no_lot_brought(self, org):
        move = posting.Move(
            key="tests:paid",
            kind=TransferKind.ADJUST_PAID_UP,
            credits=5,
            actor="tests",
            reason="tests",
            reference="tests",
        )

        with pytest.raises(IntegrityError, match="5 paid, 0 in lots"):
            self._commit(lambda: posting.post(posting.lock(org), [move]))

    def _commit(self, change) -> None:
        with transaction.atomic():
            change()
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
