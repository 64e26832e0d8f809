"""Stripe's balance against ours: to the cent, by day, and what differs as rows with an owner."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import AuditLine, User
from billing.models import (
    BalanceMovement,
    Difference,
    PaymentReversal,
    Receipt,
    ReconciledDay,
    UnmatchedPayment,
)
from billing.purchases import fulfillment
from billing.reconciliation import fetching, run
from billing.reversals import applying
from imageskill.lib import clock
from tests.billing.money import buy as buy_without_stripe
from tests.billing.shop import only_receipt
from tests.billing.stripe_facts import refund

pytestmark = pytest.mark.django_db
Reason, State = Difference.Reason, Difference.State


@pytest.fixture(autouse=True)
def _no_lag(monkeypatch):
    monkeypatch.setattr(run, "_LAG", timedelta(seconds=-5))


@pytest.fixture
def receipt(shop, agent) -> Receipt:
    attempt = shop.attempt(agent)
    shop.account.pay(attempt.checkout_session_id)
    fulfillment.fulfill(payment_attempt_id=attempt.public_id)
    return only_receipt()


def reconcile() -> ReconciledDay:
    today = clock.utc_day(clock.now())
    return run.run(since=today - timedelta(days=1), until=today).days[-1]


def reconcile_both() -> list[ReconciledDay]:
    today = clock.utc_day(clock.now())
    return run.run(since=today - timedelta(days=1), until=today).days


def nets(day: ReconciledDay) -> tuple[int, int, int]:
    day.refresh_from_db()
    return day.stripe_net_cents, day.ledger_net_cents, day.delta_cents


def differences() -> list[tuple[str, str]]:
    return list(Difference.objects.order_by("id").values_list("reason", "state"))


class TestAgreement:
    def test_of_a_payment_to_the_cent(self, receipt):
        day = reconcile()

        assert day.stripe_payments_cents == day.receipts_cents == day.granted_credits == 500
        assert day.stripe_fees_cents > 0
        assert differences() == []

    def test_of_refunds_and_disputes(self, receipt, shop):
        shop.account.refund(receipt.charge_id, 200)
        shop.account.dispute(receipt.charge_id, 300)
        shop.tell(*shop.events("refund."), *shop.events("charge.dispute."))

        day = reconcile()

        assert day.stripe_refunds_cents == day.refunds_cents == -200
        assert day.stripe_disputes_cents == day.disputes_cents == -300
        assert day.reversed_credits == 500
        assert differences() == []

    def test_of_a_refund_that_came_back_and_a_dispute_that_was_won(self, receipt, shop):
        refund = shop.account.refund(receipt.charge_id, 200)
        dispute = shop.account.dispute(receipt.charge_id, 300)
        shop.account.fail_refund(refund["id"])
        shop.account.win(dispute["id"])
        shop.tell(*shop.events("refund."), *shop.events("charge.dispute."))

        day = reconcile()

        assert day.stripe_refunds_cents == day.refunds_cents == 0
        assert day.stripe_disputes_cents == day.disputes_cents == 0
        assert day.reversed_credits == 0
        assert differences() == []

    def test_is_repeated_without_a_trace(self, receipt):
        reconcile()
        reconcile()

        assert BalanceMovement.objects.filter(category="payment").count() == 1
        assert ReconciledDay.objects.count() == 2

    def test_a_refund_on_its_way_is_no_difference(self, receipt, shop):
        shop.account.refund(receipt.charge_id, 200, status="pending")
        shop.tell(*shop.events("refund."))

        reconcile()

        assert differences() == []

    def test_leaves_other_installations_alone(self, shop, agent, settings):
        ours, settings.INSTALLATION_NAME = settings.INSTALLATION_NAME, "somewhere else"
        attempt = shop.attempt(agent)
        settings.INSTALLATION_NAME = ours
        shop.account.pay(attempt.checkout_session_id)

        day = reconcile()

        assert (day.stripe_payments_cents, differences()) == (0, [])


class TestSignedDays:
    """Two days: money moves on the first, and is decided on the second."""

    def test_a_dispute_won_later_leaves_both_its_days_equal(self, receipt, shop):
        dispute = shop.account.dispute(receipt.charge_id)
        shop.account.win(dispute["id"])
        shop.tell(*shop.events("charge.dispute."))
        self._moved_yesterday(shop, "charge", "dispute")

        yesterday, today = reconcile_both()

        assert nets(yesterday) == (0, 0, 0)
        assert nets(today) == (500, 500, 0)
        assert yesterday.is_equal
        assert today.is_equal

    def test_a_refund_that_failed_later_leaves_both_its_days_equal(self, receipt, shop):
        refund = shop.account.refund(receipt.charge_id, 200)
        shop.account.fail_refund(refund["id"])
        shop.tell(*shop.events("refund."))
        self._moved_yesterday(shop, "charge", "refund")

        yesterday, today = reconcile_both()

        assert (nets(yesterday), nets(today)) == ((300, 300, 0), (200, 200, 0))
        assert yesterday.is_equal
        assert today.is_equal

    def test_a_failed_refund_whose_money_stripe_kept_is_a_delta(self, receipt, shop):
        refund = shop.account.refund(receipt.charge_id, 200)
        shop.account.fail_refund(refund["id"])
        shop.tell(*shop.events("refund."))
        with shop.account.lock:
            at_stripe = shop.account.objects[refund["id"]]
            del shop.account.objects[at_stripe["failure_balance_transaction"]]
            at_stripe["failure_balance_transaction"] = None

        day = reconcile()

        assert (nets(day), day.is_equal) == ((300, 500, -200), False)
        found = Difference.objects.get()
        assert (found.reason, found.stripe_id) == (Reason.MISSING_MOVEMENT, refund["id"])
        assert (found.our_cents, found.receipt) == (200, receipt)

    def test_a_dispute_that_is_lost_stays_counted(self, receipt, shop):
        shop.account.lose(shop.account.dispute(receipt.charge_id)["id"])
        shop.tell(*shop.events("charge.dispute."))

        day = reconcile()

        assert (nets(day), day.is_equal) == ((0, 0, 0), True)

    def test_the_delta_is_what_stripe_has_more(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id)

        day = reconcile()

        assert (nets(day), day.is_equal) == ((500, 0, 500), False)
        assert ReconciledDay.objects.get(delta_cents=500) == day

    def test_what_stripe_did_not_move_is_a_delta_too(self, shop, org):
        buy_without_stripe(org, 500, charge_id="ch_never")

        day = reconcile()

        assert (nets(day), day.is_equal) == ((0, 500, -500), False)

    def test_what_stripe_moved_twice_is_counted_here_once(self, receipt, shop):
        with shop.account.lock:
            charge = shop.account.objects[receipt.charge_id]
            shop.account.move("charge", "charge", 500, charge, fee=0)

        day = reconcile()

        assert nets(day) == (1000, 500, 500)
        assert differences() == [(Reason.DOUBLE, State.OPEN)]

    def test_days_that_cancel_out_are_not_equal(self, receipt):
        day = reconcile()
        ReconciledDay.objects.filter(pk=day.pk).update(receipts_cents=600, refunds_cents=-100)
        day.refresh_from_db()

        assert (day.delta_cents, day.is_equal) == (0, False)

    def _moved_yesterday(self, shop, *categories) -> None:
        with shop.account.lock:
            for one in shop.account.objects.values():
                if one.get("reporting_category") in categories:
                    one["created"] -= 86_400


class TestSetAside:
    """A payment that granted nothing, and what is returned of it."""

    @pytest.fixture
    def payment(self, shop, agent) -> UnmatchedPayment:
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id, amount_total=400)
        fulfillment.fulfill(payment_attempt_id=attempt.public_id)
        return UnmatchedPayment.objects.get()

    def test_is_counted_on_both_sides(self, payment):
        day = reconcile()

        assert (nets(day), day.is_equal, differences()) == ((400, 400, 0), True, [])
        assert BalanceMovement.objects.get().unmatched_payment == payment

    def test_its_amount_is_compared(self, payment):
        UnmatchedPayment.objects.update(amount_cents=399)

        assert nets(reconcile()) == (400, 399, 1)
        assert differences() == [(Reason.AMOUNT, State.OPEN)]

    def test_its_refund_is_reconciled(self, payment, shop):
        shop.account.refund(payment.charge_id, 150)
        shop.tell(*shop.events("refund."))

        day = reconcile()

        assert (nets(day), day.is_equal) == ((250, 250, 0), True)
        moved = BalanceMovement.objects.get(category="refund")
        assert moved.unmatched_payment == payment

    def test_one_that_stripe_never_moved_is_a_discrepancy(self, payment):
        UnmatchedPayment.objects.update(charge_id="ch_never")

        day = reconcile()

        assert nets(day) == (400, 400, 0)
        assert sorted(differences()) == [
            (Reason.MISSING_EVENT, State.OPEN),
            (Reason.MISSING_MOVEMENT, State.OPEN),
        ]

    def test_a_refund_that_stripe_never_moved_is_a_discrepancy(self, payment):
        applying.apply_refund(refund("re_never", payment.charge_id, 150))

        day = reconcile()

        assert (nets(day), day.is_equal) == ((400, 250, 150), False)
        found = Difference.objects.get()
        assert (found.reason, found.stripe_id) == (Reason.MISSING_MOVEMENT, "re_never")
        assert (found.our_cents, found.reversal.stripe_id) == (-150, "re_never")

    @pytest.mark.parametrize("status", ["pending", "failed"])
    def test_a_refund_that_has_not_succeeded_needs_no_movement(self, payment, status):
        applying.apply_refund(refund("re_never", payment.charge_id, 150, status=status))

        assert reconcile().is_equal
        assert differences() == []

    def test_a_refund_of_another_environment_is_not_missed(self, payment):
        UnmatchedPayment.objects.update(environment="live")
        applying.apply_refund(refund("re_never", payment.charge_id, 150))

        reconcile()

        assert differences() == []

    def test_a_refund_that_failed_unheard_is_a_discrepancy(self, payment, shop):
        refund = shop.account.refund(payment.charge_id, 400)
        shop.tell(*shop.events("refund."))
        shop.account.fail_refund(refund["id"])

        day = reconcile()

        assert (nets(day), day.is_equal) == ((400, 0, 400), False)
        assert differences() == [(Reason.STATE, State.OPEN)]


class TestFetch:
    @pytest.fixture
    def user(self, db) -> User:
        return User.objects.create_user("finance@example.com")

    def test_applies_a_payment_that_no_event_told_of(self, shop, agent, user):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id)
        reconcile()

        fetched = fetching.fetch(
            difference=Difference.objects.get(), user=user, reason="its webhook was lost"
        )

        assert fetched.state == State.AGREED
        assert only_receipt().credits == 500
        assert ReconciledDay.objects.get(day=fetched.day).is_equal
        assert AuditLine.objects.get(action="difference.fetch").user == user

    @pytest.mark.parametrize("kind", ["refund", "dispute"])
    def test_applies_a_reversal_that_no_event_told_of_once(self, receipt, shop, user, kind):
        getattr(shop.account, kind)(receipt.charge_id, 200)
        reconcile()
        difference = Difference.objects.get()

        for _ in range(2):
            fetching.fetch(difference=difference, user=user, reason="its webhook was lost")

        assert differences() == [(Reason.MISSING_EVENT, State.AGREED)]
        assert PaymentReversal.objects.get().credits == 200
        only_receipt()  # the books are in order

    def test_refuses_a_payment_of_an_unknown_checkout(self, receipt, shop, user):
        reconcile()
        difference = Difference.objects.create(
            key="unknown",
            reason=Reason.MISSING_EVENT,
            day=clock.utc_day(clock.now()),
            environment="stand_in",
            stripe_id=receipt.charge_id,
        )
        shop.account.objects[receipt.charge_id]["metadata"] = {"payment_attempt_id": "payatt_x"}

        with pytest.raises(fetching.FetchRefused, match="payatt_x"):
            fetching.fetch(difference=difference, user=user, reason="look")

    def test_is_offered_while_open_and_for_what_stripe_knows(self):
        offered = Difference(state=State.OPEN, stripe_id="re_1")
        assert fetching.can_fetch(offered)
        assert not fetching.can_fetch(Difference(state=State.CLOSED, stripe_id="re_1"))
        assert not fetching.can_fetch(Difference(state=State.OPEN, stripe_id="po_1"))


class TestDifference:
    def test_money_that_no_event_told_of_until_one_does(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id)

        assert reconcile().open_differences == 1
        assert differences() == [(Reason.MISSING_EVENT, State.OPEN)]

        fulfillment.fulfill(payment_attempt_id=attempt.public_id)
        assert reconcile().open_differences == 0
        assert differences() == [(Reason.MISSING_EVENT, State.AGREED)]

    def test_a_refund_that_no_event_told_of(self, receipt, shop):
        shop.account.refund(receipt.charge_id, 200)

        reconcile()

        assert differences() == [(Reason.MISSING_EVENT, State.OPEN)]

    def test_a_receipt_for_which_stripe_moved_nothing(self, shop, org):
        receipt = buy_without_stripe(org, 500, charge_id="ch_never")

        reconcile()

        difference = Difference.objects.get()
        assert difference.reason == Reason.MISSING_MOVEMENT
        assert (difference.receipt, difference.our_cents) == (receipt, 500)

    @pytest.mark.parametrize(
        ("damage", "granted"),
        [
            ("billing_transfer SET credits = 400", 400),
            ("billing_transfer SET key = 'other' || id", 0),
        ],
    )
    def test_a_receipt_without_exactly_its_grant(self, receipt, damage, granted):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(f"UPDATE {damage}")
            cursor.execute("SET LOCAL session_replication_role = origin")

        reconcile()

        found = Difference.objects.get()
        assert (found.reason, found.our_cents) == (Reason.STATE, granted)

    def test_another_amount(self, receipt, shop):
        self._change_movement(shop, amount=499)

        reconcile()

        difference = Difference.objects.get()
        assert difference.reason == Reason.AMOUNT
        assert (difference.stripe_cents, difference.our_cents) == (499, 500)

    def test_another_amount_that_the_fee_explains(self, receipt, shop):
        reconcile()
        fee = BalanceMovement.objects.get(category="payment").fee_cents
        assert fee > 0
        self._change_movement(shop, amount=500 - fee)

        reconcile()

        assert differences() == [(Reason.FEE, State.OPEN)]

    def test_another_currency_at_its_rate_agrees(self, receipt, shop):
        self._change_movement(shop, amount=460, currency="eur", exchange_rate=0.92)

        reconcile()

        assert differences() == []

    def test_another_currency_off_its_rate(self, receipt, shop):
        self._change_movement(shop, amount=470, currency="eur", exchange_rate=0.92)

        reconcile()

        assert differences() == [(Reason.EXCHANGE, State.OPEN)]
        difference = Difference.objects.get()
        assert (difference.stripe_cents, difference.stripe_currency) == (470, "EUR")

    def test_a_dispute_whose_withdrawal_nobody_told_of(self, receipt, shop):
        shop.account.dispute(receipt.charge_id)
        shop.tell(*shop.events("charge.dispute."))
        PaymentReversal.objects.update(withdrawn_cents=0)

        reconcile()

        assert (Reason.STATE, State.OPEN) in differences()

    def test_a_reversal_that_moved_nothing_here(self, receipt, shop):
        shop.account.refund(receipt.charge_id, 200)
        shop.tell(*shop.events("refund."))
        PaymentReversal.objects.update(state="rejected", problem="reversed_already", credits=0)

        reconcile()

        assert differences() == [(Reason.STATE, State.OPEN)]

    def _change_movement(self, shop, **changes) -> None:
        with shop.account.lock:
            [movement] = [
                one
                for one in shop.account.objects.values()
                if one["object"] == "balance_transaction"
            ]
            movement.update(changes)


class TestOwner:
    @pytest.fixture
    def difference(self, shop, agent) -> Difference:
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id)
        reconcile()
        return Difference.objects.get()

    @pytest.fixture
    def user(self, db) -> User:
        return User.objects.create_user("finance@example.com")

    def test_takes_it_on_and_closes_it_with_a_note(self, difference, user):
        run.assign(difference=difference, user=user, reason="I know this one")
        run.resolve(difference=difference, user=user, note="a test of ours")

        difference.refresh_from_db()
        assert (difference.owner, difference.note) == (user, "a test of ours")
        lines = AuditLine.objects.filter(action__startswith="difference.", user=user)
        assert list(lines.order_by("id").values_list("action", "reason")) == [
            ("difference.take_on", "I know this one"),
            ("difference.close", "a test of ours"),
        ]

    def test_closed_stays_closed_whatever_later_runs_find(self, difference, user):
        run.resolve(difference=difference, user=user, note="a test of ours")

        assert reconcile().open_differences == 0
        assert differences() == [(Reason.MISSING_EVENT, State.CLOSED)]


def test_the_command_prints_a_line_a_day_and_says_how_far_it_is(receipt):
    out, progress = StringIO(), StringIO()

    today = clock.utc_day(clock.now())
    call_command("reconcile", since=today - timedelta(days=1), stdout=out, stderr=progress)

    yesterdays, todays = out.getvalue().splitlines()
    assert yesterdays.startswith(
        f"{today - timedelta(days=1)}: payments 0.00 USD at Stripe, 0.00 USD here;"
    )
    assert todays.startswith(f"{today}: payments 5.00 USD at Stripe, 5.00 USD here;")
    assert f"{today}: reading from Stripe (2 of 2)" in progress.getvalue()
