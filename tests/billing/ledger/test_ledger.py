"""The ledger's functions, by worked examples."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from billing import ledger
from billing.chart import Purpose, TransferKind
from billing.ledger import reserves
from billing.ledger.posting import Move, lock, post
from billing.models import JobHold, LedgerEntry, Lot, Transfer, Wallet
from billing.models.append_only import RowIsFinal
from tests.billing.money import buy, capture, give, hold, house, new_org, release, spend

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_in_order")]


class TestGrant:
    def test_same_key_grants_once(self, org):
        terms = {
            "organization_id": org,
            "credits": 40,
            "key": "signup:agt_a",
            "actor": "tests",
            "reason": "starter credits",
            "reference": "agt_a",
        }

        first, second = ledger.grant_preview(**terms), ledger.grant_preview(**terms)

        assert first.pk == second.pk
        assert ledger.balances(org) == (40, 0, 0, 0)
        assert house(Purpose.PROMOTIONS) == -40

    def test_same_key_with_other_terms_is_a_conflict(self, org):
        terms = {
            "organization_id": org,
            "key": "signup:agt_a",
            "actor": "tests",
            "reason": "starter credits",
            "reference": "agt_a",
        }
        ledger.grant_preview(credits=40, **terms)

        with pytest.raises(ledger.TransferConflict):
            ledger.grant_preview(credits=41, **terms)

        assert ledger.balances(org) == (40, 0, 0, 0)

    def test_a_receipt_grants_once(self, org):
        receipt = buy(org, 500)

        again = ledger.grant_paid(
            organization_id=org, receipt_id=receipt.public_id, credits=500, actor="somebody else"
        )

        assert again == (500, 0, 500)
        assert ledger.balances(org) == (0, 500, 0, 0)

    def test_needs_wallets(self, org):
        Wallet.objects.filter(organization_id=org).delete()

        with pytest.raises(ledger.WalletsMissing):
            give(org, 1)


class TestHold:
    def test_takes_preview_credits_first_then_paid_ones(self, org):
        give(org, 5)
        buy(org, 10)

        assert hold(org, "job_a", 9) == (5, 4)
        assert ledger.balances(org) == (0, 6, 9, 0)

    def test_takes_the_oldest_purchase_first_and_remembers(self, org):
        old, new = buy(org, 10), buy(org, 10)

        hold(org, "job_a", 12)

        left = dict(Lot.objects.values_list("reference", "left"))
        assert left == {old.public_id: 0, new.public_id: 8}

    def test_refuses_what_is_not_there_and_writes_nothing(self, org):
        give(org, 5)

        with pytest.raises(ledger.InsufficientCredits) as refused:
            hold(org, "job_a", 6)

        assert ledger.balances(org) == (5, 0, 0, 0)
        assert not JobHold.objects.exists()
        error = refused.value
        assert (error.preview, error.paid, error.owed) == (5, 0, 0)

    def test_the_same_job_holds_once(self, org):
        give(org, 20)

        assert hold(org, "job_a", 9) == hold(org, "job_a", 9) == (9, 0)
        with pytest.raises(ledger.TransferConflict):
            hold(org, "job_a", 10)

        assert ledger.balances(org) == (11, 0, 9, 0)

    @pytest.mark.parametrize("credits", [0, -1])
    def test_holds_something_or_nothing_at_all(self, org, credits):
        give(org, 5)

        with pytest.raises(ValueError, match="at least one"):
            hold(org, "job_a", credits)


class TestCapture:
    def test_of_the_whole_hold_is_revenue(self, org):
        give(org, 5)
        buy(org, 10)
        hold(org, "job_a", 9)

        assert capture(org, "job_a", 9) == (5, 4, 0)
        assert ledger.balances(org) == (0, 6, 0, 0)
        assert house(Purpose.REVENUE) == 9

    def test_of_less_gives_the_rest_back_to_where_it_came_from(self, org):
        give(org, 5)
        old, new = buy(org, 3), buy(org, 10)
        hold(org, "job_a", 14)

        assert capture(org, "job_a", 6) == (5, 1, 8)

        assert ledger.balances(org) == (0, 12, 0, 0)
        left = dict(Lot.objects.values_list("reference", "left"))
        assert left == {old.public_id: 2, new.public_id: 10}

    def test_never_goes_above_the_hold(self, org):
        give(org, 10)
        hold(org, "job_a", 9)

        assert capture(org, "job_a", 25) == (9, 0, 0)
        assert ledger.balances(org) == (1, 0, 0, 0)

    def test_follows_from_its_hold(self, org):
        give(org, 5)
        buy(org, 10)
        hold(org, "job_a", 9)
        capture(org, "job_a", 3)

        followed = Transfer.objects.exclude(parent=None).values_list("key", "parent__key")

        assert dict(followed) == {
            "job:job_a:capture": "job:job_a:hold:preview",
            "job:job_a:return:preview": "job:job_a:hold:preview",
            "job:job_a:return:paid": "job:job_a:hold:paid",
        }

    def test_repeated_gives_the_first_one(self, org):
        give(org, 10)
        hold(org, "job_a", 9)

        assert capture(org, "job_a", 7) == capture(org, "job_a", 7) == (7, 0, 2)
        with pytest.raises(ledger.HoldClosed):
            capture(org, "job_a", 9)
        assert house(Purpose.REVENUE) == 7

    def test_of_a_job_without_a_hold_is_refused(self, org):
        with pytest.raises(ledger.HoldNotFound):
            capture(org, "job_a", 7)

    def test_of_another_organizations_job_is_refused(self, org):
        give(org, 10)
        hold(org, "job_a", 9)

        with pytest.raises(ledger.HoldNotFound):
            capture(new_org(), "job_a", 9)


class TestRelease:
    def test_gives_everything_back_to_where_it_came_from(self, org):
        give(org, 5)
        old, new = buy(org, 3), buy(org, 10)
        hold(org, "job_a", 14)

        assert release(org, "job_a") == (5, 9)

        assert ledger.balances(org) == (5, 13, 0, 0)
        left = dict(Lot.objects.values_list("reference", "left"))
        assert left == {old.public_id: 3, new.public_id: 10}

    def test_repeated_moves_nothing(self, org):
        give(org, 5)
        hold(org, "job_a", 5)

        assert release(org, "job_a") == release(org, "job_a")
        assert ledger.balances(org) == (5, 0, 0, 0)

    def test_after_a_capture_is_refused(self, org):
        give(org, 5)
        hold(org, "job_a", 5)
        capture(org, "job_a", 5)

        with pytest.raises(ledger.HoldClosed):
            release(org, "job_a")

    def test_makes_a_later_capture_impossible(self, org):
        give(org, 5)
        hold(org, "job_a", 5)
        release(org, "job_a")

        with pytest.raises(ledger.HoldClosed):
            capture(org, "job_a", 5)


class TestWhatTheDatabaseRefuses:
    """Around every function: what a stray shell would try."""

    @pytest.fixture(autouse=True)
    def _history(self, org):
        give(org, 40)
        spend(org, 9)

    @pytest.mark.parametrize("table", ["billing_transfer", "billing_ledgerentry"])
    @pytest.mark.parametrize("change", ["UPDATE {} SET credits = 1", "DELETE FROM {}"])
    def test_rewriting_history(self, table, change):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(change.format(table))

    @pytest.mark.parametrize("table", ["billing_transfer", "billing_ledgerentry"])
    def test_emptying_a_table(self, table):
        trigger = f"{table}_is_never_truncated"
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            # Tests switch it off to go back to where they began; see `tests.database`.
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                cursor.execute(f"TRUNCATE {table} CASCADE")

    @pytest.mark.parametrize("model", [Transfer, LedgerEntry])
    def test_rewriting_history_by_the_model(self, model):
        row = model.objects.first()

        for change in (
            row.save,
            row.delete,
            model.objects.all().delete,
            lambda: model.objects.update(credits=1),
        ):
            with pytest.raises(RowIsFinal):
                change()

    def test_a_negative_balance(self, org):
        with pytest.raises(IntegrityError, match="never_negative"), transaction.atomic():
            Wallet.objects.filter(organization_id=org, purpose="preview").update(balance=-1)

    def test_entries_that_do_not_add_up(self, org):
        with pytest.raises(IntegrityError, match="does not balance"):
            write_transfer(org, entries=(-10, 9))

    def test_a_transfer_without_entries(self, org):
        with pytest.raises(IntegrityError, match="does not balance"):
            write_transfer(org, entries=())

    def test_a_third_entry(self):
        entry = LedgerEntry.objects.first()

        with pytest.raises(IntegrityError, match="entry_one_on_each_side"), transaction.atomic():
            LedgerEntry.objects.create(
                transfer=entry.transfer, wallet=entry.wallet, credits=1, balance_after=1
            )


def write_transfer(org: int, *, entries: tuple[int, ...]) -> None:
    """Write a transfer of 10 by hand, with whatever entries, and check it as a commit does."""
    wallets = Wallet.objects.filter(organization_id=org, purpose__in=["preview", "paid"])
    source, target = wallets.order_by("id")
    with transaction.atomic():
        transfer = Transfer.objects.create(
            key="tests:stray",
            kind=TransferKind.ADJUST_PAID_UP,
            organization_id=org,
            source=source,
            target=target,
            credits=10,
            actor="tests",
            reference="tests",
        )
        for wallet, credits in zip((source, target), entries, strict=False):
            LedgerEntry.objects.create(
                transfer=transfer, wallet=wallet, credits=credits, balance_after=0
            )
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class TestPost:
    def test_a_move_that_would_overdraw_writes_nothing(self, org):
        give(org, 5)
        move = Move(
            key="tests:over",
            kind=TransferKind.HOLD_PREVIEW,
            credits=6,
            actor="tests",
            reason="tests",
            reference="tests",
        )

        with pytest.raises(ledger.Overdrawn):
            post(lock(org), [move])

        assert not Transfer.objects.filter(key="tests:over").exists()


class TestCost:
    def test_a_balance_is_one_statement(self, org, django_assert_num_queries):
        with django_assert_num_queries(1):
            ledger.balances(org)

    def test_a_hold_of_free_credits_is_four_statements(self, org, django_assert_num_queries):
        give(org, 40)
        with transaction.atomic(), django_assert_num_queries(4):
            ledger.hold(organization_id=org, job_id="job_a", credits=9, actor="tests")


def test_a_refund_under_way_holds_its_own_purchase_first(org):
    older, newer = buy(org, 500), buy(org, 500)
    reference = "refund_request:tests"

    with transaction.atomic():
        wallets = lock(org)
        reserves.hold(wallets, reference=reference, receipt_id=newer.public_id, credits=300)
        left = dict(Lot.objects.values_list("reference", "left"))
        reserves.give_back(wallets, reference=reference, credits=300)

    assert left == {older.public_id: 500, newer.public_id: 200}
