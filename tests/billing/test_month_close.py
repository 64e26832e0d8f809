"""Months: added up from the ledger, frozen, chained, reopened by a second person only."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from billing import month_close, reversals
from billing.models import MonthClose
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
    reversals.apply_refund(refund("re_a", "ch_a", 200))
    return clock.utc_day(clock.now()).replace(day=1)


@pytest.fixture
def later(monkeypatch, history):
    """Five months on."""
    real = clock.now

    def now():
        moment = real()
        months = moment.year * 12 + moment.month - 1 + 5
        return moment.replace(year=months // 12, month=months % 12 + 1, day=1)

    monkeypatch.setattr(clock, "now", now)


def following(month: date) -> date:
    return month_close._next_month(month)


@pytest.mark.usefixtures("later")
class TestClose:
    def test_adds_up(self, history, closer):
        figures = month_close.close(month=history, user=closer).figures

        assert figures["opening_credits"] == 0
        assert (figures["granted"], figures["captured"], figures["reversed"]) == (540, -160, -200)
        assert figures["closing_credits"] == 180
        assert figures["receipts"] == {
            "stand_in": {"count": 1, "amount_cents": 500, "credits": 500}
        }

    def test_chains_months_and_opens_with_what_the_last_one_closed(self, history, closer):
        first = month_close.close(month=history, user=closer)
        second = month_close.close(month=following(history), user=closer)

        assert second.previous_digest == first.digest
        assert second.figures["opening_credits"] == first.figures["closing_credits"] == 180
        assert list(month_close.problems()) == []

    def test_leaves_no_month_out(self, history, closer):
        month_close.close(month=history, user=closer)

        with pytest.raises(month_close.CloseRefused, match="first"):
            month_close.close(month=following(following(history)), user=closer)

    def test_happens_once(self, history, closer):
        month_close.close(month=history, user=closer)

        with pytest.raises(month_close.CloseRefused, match="already"):
            month_close.close(month=history, user=closer)

    def test_exports_its_rows(self, history, closer):
        closed = month_close.close(month=history, user=closer)

        rows = dict(month_close.export(closed))

        assert rows["closing credits"] == 180
        assert rows["digest"] == closed.digest

    def test_is_frozen_in_the_database(self, history, closer):
        month_close.close(month=history, user=closer)

        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("UPDATE billing_monthclose SET figures = '{}'")


def test_a_month_that_is_not_over_is_refused(history, closer):
    with pytest.raises(month_close.CloseRefused, match="not over"):
        month_close.close(month=history, user=closer)


@pytest.mark.usefixtures("later")
class TestReopen:
    def test_needs_a_second_person(self, history, closer, other):
        closed = month_close.close(month=history, user=closer)
        month_close.ask_to_reopen(closed=closed, user=closer, reason="a late invoice")

        with pytest.raises(month_close.CloseRefused, match="second person"):
            month_close.reopen(closed=closed, user=closer)
        month_close.reopen(closed=closed, user=other)

        again = month_close.close(month=history, user=closer)
        assert (again.version, MonthClose.objects.count()) == (2, 2)

    def test_has_to_be_asked_for(self, history, closer, other):
        closed = month_close.close(month=history, user=closer)

        with pytest.raises(month_close.CloseRefused, match="asked"):
            month_close.reopen(closed=closed, user=other)

    def test_takes_later_months_first(self, history, closer, other):
        first = month_close.close(month=history, user=closer)
        month_close.close(month=following(history), user=closer)
        month_close.ask_to_reopen(closed=first, user=closer, reason="a late invoice")

        with pytest.raises(month_close.CloseRefused, match="later month"):
            month_close.reopen(closed=first, user=other)


@pytest.mark.usefixtures("later")
def test_what_a_closed_month_did_not_say_is_found(history, closer, org, monkeypatch):
    month_close.close(month=history, user=closer)
    monkeypatch.undo()  # back into the closed month
    give(org, 1)

    assert [problem.message for problem in month_close.problems()] == [
        "the ledger says something else by now"
    ]
