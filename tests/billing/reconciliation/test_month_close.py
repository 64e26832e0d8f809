"""Months: added up from the ledger, frozen, chained, reopened by a second person only."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditLine, User
from billing.ledger import daily_totals
from billing.models import MonthClose
from billing.reconciliation import month_close
from billing.reversals import applying
from imageskill.lib import clock
from tests.billing.money import buy, give, spend
from tests.billing.stripe_facts import refund

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_in_order")]


@pytest.fixture
def closer(db) -> User:
    return User.objects.create_user("closer@example.com")


@pytest.fixture
def other(db) -> User:
    return User.objects.create_user("other@example.com")


@pytest.fixture
def history(org) -> date:
    """A month with some of everything; the clock is moved past its end."""
    give(org, 40)
    buy(org, 500, charge_id="ch_a")
    spend(org, 160)
    applying.apply_refund(refund("re_a", "ch_a", 200))
    return clock.utc_day(clock.now()).replace(day=1)


def five_months_on() -> datetime:
    moment = clock.now()
    months = moment.year * 12 + moment.month - 1 + 5
    return moment.replace(year=months // 12, month=months % 12 + 1, day=1)


@pytest.fixture
def later(history):
    with clock.at(five_months_on):
        yield


def close(month: date, user: User) -> MonthClose:
    return month_close.close(month=month, user=user, reason="it is over")


def following(month: date) -> date:
    return month_close._next_month(month)


_figures = month_close.calculate_figures


def _without_balances(month):
    return {name: value for name, value in _figures(month).items() if name != "balances"}


@pytest.mark.usefixtures("later")
class TestClose:
    def test_adds_up(self, history, closer):
        figures = close(history, closer).figures

        assert figures["opening_credits"] == 0
        assert (figures["granted"], figures["captured"], figures["reversed"]) == (540, -160, -200)
        assert figures["closing_credits"] == 180
        assert figures["receipts"] == {
            "stand_in": {"count": 1, "amount_cents": 500, "credits": 500}
        }

    def test_chains_months_and_opens_with_what_the_last_one_closed(self, history, closer):
        first = close(history, closer)
        second = close(following(history), closer)

        assert second.previous_digest == first.digest
        assert second.figures["opening_credits"] == first.figures["closing_credits"] == 180
        assert list(month_close.problems()) == []

    def test_splits_its_balances_by_kind(self, history, closer):
        balances = close(history, closer).figures["balances"]

        closings = {purpose: cells["closing"] for purpose, cells in balances.items()}
        assert closings["paid"] + closings["preview"] + closings["held"] - closings["owed"] == 180
        for cells in balances.values():
            changes = sum(value for name, value in cells.items() if name != "closing")
            assert changes == cells["closing"]
        opening = close(following(history), closer).figures["balances"]
        assert {purpose: cells["opening"] for purpose, cells in opening.items()} == closings

    def test_of_before_the_split_still_agrees_with_the_ledger(self, history, closer, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(month_close, "calculate_figures", _without_balances)
            closed = close(history, closer)
        assert "balances" not in closed.figures
        assert list(month_close.problems()) == []
        second = close(following(history), closer)
        assert second.figures["opening_credits"] == closed.figures["closing_credits"]
        assert month_close.build_statement(closed.figures).deferred_cents is None

    def test_leaves_no_month_out(self, history, closer):
        close(history, closer)

        with pytest.raises(month_close.MonthCloseRefused, match="first"):
            close(following(following(history)), closer)

    def test_happens_once(self, history, closer):
        close(history, closer)

        with pytest.raises(month_close.MonthCloseRefused, match="already"):
            close(history, closer)

    def test_exports_its_rows(self, history, closer):
        closed = close(history, closer)

        rows = dict(month_close.export_rows(closed))

        assert rows["Closing credits"] == 180
        assert rows["receipts (stand_in): USD"] == Decimal("5.00")
        paid = rows["Paid credits: closing"]
        assert rows["Paid credits: closing, USD"] == Decimal(paid) / 100
        assert rows["digest"] == closed.digest

    def test_reads_no_older_rows_once_a_month_is_closed(self, history, closer, org):
        """A month that nobody closed again would show what came into it since."""
        close(history, closer)
        with CaptureQueriesContext(connection) as statements:
            figures = month_close.preview(following(history))

        assert figures["opening_credits"] == 180
        reading = [one["sql"] for one in statements if "billing_transfer" in one["sql"]]
        assert len(reading) == 1
        assert '"created_at" >=' in reading[0]

    def test_of_the_first_month_is_looked_at_by_figures_of_days(self, history, closer, org):
        daily_totals.count_day(
            datetime.now(UTC).date()
        )  # the day of the history, not of the moved clock
        month = following(history)

        assert month_close.preview(month) == month_close.calculate_figures(month)
        assert month_close.preview(month)["opening_credits"] == 180

    def test_freezes_what_was_seen_or_nothing(self, history, closer):
        seen = month_close.figures_fingerprint(month_close.preview(history))
        with pytest.raises(month_close.MonthCloseRefused, match="Review them again"):
            month_close.close(month=history, user=closer, reason="it is over", seen="other")

        closed = month_close.close(month=history, user=closer, reason="it is over", seen=seen)

        line = AuditLine.objects.get(action="month.close")
        assert (line.reason, line.after) == ("it is over", closed.figures)

    def test_leaves_a_month_alone_that_can_not_be_closed(self, history, closer):
        close(history, closer)
        for month in (history, following(following(history))):
            with pytest.raises(month_close.MonthCloseRefused):
                month_close.preview(month)

    def test_is_frozen_in_the_database(self, history, closer):
        close(history, closer)

        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("UPDATE billing_monthclose SET figures = '{}'")


def test_a_month_that_is_not_over_is_refused(history, closer):
    with pytest.raises(month_close.MonthCloseRefused, match="can be closed from"):
        close(history, closer)


@pytest.mark.usefixtures("later")
class TestReopen:
    def test_needs_a_second_person(self, history, closer, other):
        closed = close(history, closer)
        month_close.request_reopen(closed=closed, user=closer, reason="a late invoice")

        with pytest.raises(month_close.MonthCloseRefused, match="second person"):
            month_close.reopen(closed=closed, user=closer, reason="agreed")
        month_close.reopen(closed=closed, user=other, reason="agreed")

        again = close(history, closer)
        assert (again.version, MonthClose.objects.count()) == (2, 2)

    def test_keeps_why_it_was_asked_for_and_why_it_was_agreed_to(self, history, closer, other):
        closed = close(history, closer)
        month_close.request_reopen(closed=closed, user=closer, reason="a late invoice")
        month_close.reopen(closed=closed, user=other, reason="I have seen the invoice")

        lines = AuditLine.objects.filter(action__startswith="month.reopen").order_by("id")
        assert [(line.user, line.reason) for line in lines] == [
            (closer, "a late invoice"),
            (other, "I have seen the invoice"),
        ]

    def test_has_to_be_asked_for(self, history, closer, other):
        closed = close(history, closer)

        with pytest.raises(month_close.MonthCloseRefused, match="No request"):
            month_close.reopen(closed=closed, user=other, reason="agreed")

    def test_takes_later_months_first(self, history, closer, other):
        first = close(history, closer)
        close(following(history), closer)
        month_close.request_reopen(closed=first, user=closer, reason="a late invoice")

        with pytest.raises(month_close.MonthCloseRefused, match="later month"):
            month_close.reopen(closed=first, user=other, reason="agreed")


def test_what_a_closed_month_did_not_say_is_found(history, closer, org):
    with clock.at(five_months_on):
        close(history, closer)
    give(org, 1)

    assert [problem.message for problem in month_close.problems()] == [
        "its figures differ from the ledger"
    ]
