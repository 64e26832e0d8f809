"""Refunds on request: simulated, asked for, decided by somebody else, sent, confirmed."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission

from accounts.models import AuditLine, User
from billing import approvals, ledger
from billing.approvals import DecisionRefused
from billing.ledger import checks
from billing.models import Receipt, RefundRequest, UnmatchedPayment
from billing.purchases import fulfillment
from billing.reversals import refund_blocks, refund_sending, refund_simulation, refunds
from imageskill.dev.standins.faults import Fault
from imageskill.lib import clock
from tests.billing.money import hold, spend
from tests.billing.shop import only_receipt

pytestmark = pytest.mark.django_db
State = RefundRequest.State


@pytest.fixture(autouse=True)
def _books_in_order(db):
    yield
    assert list(checks.ledger_problems()) == []


@pytest.fixture
def receipt(shop, agent) -> Receipt:
    attempt = shop.attempt(agent)
    shop.account.pay(attempt.checkout_session_id)
    fulfillment.fulfill(payment_attempt_id=attempt.public_id)
    return only_receipt()


def person(address: str, *duties: str) -> User:
    user = User.objects.create_user(address, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=duties))
    return user


@pytest.fixture
def asker(db) -> User:
    return person("asker@example.com", "refund_request", "refund_approve")


@pytest.fixture
def decider(db) -> User:
    return person("decider@example.com", "refund_approve")


def ask(receipt: Receipt, user: User, cents: int = 500) -> RefundRequest:
    return refunds.request(
        receipt=receipt,
        amount_cents=cents,
        reason_code="service",
        reason="images were blank",
        user=user,
    )


@pytest.fixture
def threshold(settings):
    settings.REFUND_SECOND_PERSON_CENTS = 300


class TestSimulation:
    def test_offers_what_is_unused(self, receipt, agent):
        spend(agent.agent.organization_id, 40 + 120)  # the free credits go first

        simulation = refund_simulation.simulate(receipt)

        assert (simulation.unused_credits, simulation.amount_cents) == (380, 380)
        assert (simulation.debited_credits, simulation.owed_after) == (380, 0)
        assert simulation.refusal == ""

    def test_shows_what_would_be_owed_and_what_jobs_hold(self, receipt, agent):
        spend(agent.agent.organization_id, 40 + 120)
        hold(agent.agent.organization_id, "job_a", 80)

        simulation = refund_simulation.simulate(receipt, amount_cents=500)

        assert (simulation.debited_credits, simulation.owed_after) == (300, 200)
        assert simulation.held_credits == 80

    def test_does_what_it_said(self, receipt, agent, asker):
        spend(agent.agent.organization_id, 160)
        simulation = refund_simulation.simulate(receipt, amount_cents=500)

        refund_sending.send(request_id=ask(receipt, asker).pk)

        balances = ledger.balances(agent.agent.organization_id)
        assert (balances.paid, balances.owed) == (0, simulation.owed_after)


class TestRequest:
    def test_below_the_threshold_goes_at_once_and_moves_when_stripe_confirms(
        self, receipt, agent, asker, shop
    ):
        asked = ask(receipt, asker)
        assert asked.state == State.APPROVED
        assert ledger.balances(agent.agent.organization_id).paid == 500

        refund_sending.send(request_id=asked.pk)

        assert ledger.balances(agent.agent.organization_id).paid == 0
        asked.refresh_from_db()
        assert asked.reversal.credits == 500
        [refund] = shop.account.all("refund")
        assert (refund["id"], refund["amount"]) == (asked.stripe_refund_id, 500)
        actions = AuditLine.objects.values_list("action", "subject", "reason")
        assert list(actions) == [("refund.request", receipt.public_id, "images were blank")]

    @pytest.mark.usefixtures("threshold")
    def test_above_it_waits_for_a_second_person(self, receipt, asker, decider, shop):
        asked = ask(receipt, asker)
        assert asked.state == State.REQUESTED
        refund_sending.send(request_id=asked.pk)
        assert shop.account.all("refund") == []

        refunds.approve(request_id=asked.pk, user=decider, note="seen")
        refund_sending.send(request_id=asked.pk)

        assert len(shop.account.all("refund")) == 1

    @pytest.mark.usefixtures("threshold")
    def test_is_never_decided_by_who_asked(self, receipt, asker):
        asked = ask(receipt, asker)

        for decide in (refunds.approve, refunds.reject):
            with pytest.raises(DecisionRefused, match="second person"):
                decide(request_id=asked.pk, user=asker, note="mine")

    @pytest.mark.usefixtures("threshold")
    def test_is_decided_once(self, receipt, asker, decider):
        asked = ask(receipt, asker)
        refunds.reject(request_id=asked.pk, user=decider, note="no")

        with pytest.raises(DecisionRefused, match="rejected"):
            refunds.approve(request_id=asked.pk, user=decider)

    @pytest.mark.usefixtures("threshold")
    def test_is_not_decided_without_the_right(self, receipt, asker):
        asked = ask(receipt, asker)

        with pytest.raises(DecisionRefused, match="approval limit"):
            refunds.approve(request_id=asked.pk, user=person("nobody@example.com"))

    @pytest.mark.usefixtures("threshold")
    def test_is_decided_up_to_a_limit_by_the_limited_right(self, receipt, asker, settings):
        lead = person("lead@example.com", "refund_approve_limited")
        asked = ask(receipt, asker)
        settings.REFUND_LIMITED_APPROVAL_CENTS = 499
        with pytest.raises(DecisionRefused, match="approval limit"):
            refunds.approve(request_id=asked.pk, user=lead)

        settings.REFUND_LIMITED_APPROVAL_CENTS = 500
        assert refunds.approve(request_id=asked.pk, user=lead).state == State.APPROVED

    @pytest.mark.usefixtures("threshold")
    def test_expires(self, receipt, asker, decider):
        asked = ask(receipt, asker)
        RefundRequest.objects.filter(pk=asked.pk).update(expires_at=clock.now())

        with pytest.raises(DecisionRefused, match="expired"):
            refunds.approve(request_id=asked.pk, user=decider)
        assert approvals.expire_overdue() == 1
        assert ask(receipt, asker).pk != asked.pk

    def test_one_at_a_time_for_a_receipt(self, receipt, asker):
        ask(receipt, asker, 100)

        with pytest.raises(refunds.RefundRefused, match="already pending"):
            ask(receipt, asker, 100)

    @pytest.mark.parametrize("cents", [0, -1, 501])
    def test_of_more_or_less_than_there_is_is_refused(self, receipt, asker, cents):
        with pytest.raises(refunds.RefundRefused, match=r"from 0\.01 to 5\.00 USD"):
            ask(receipt, asker, cents)

    def test_of_a_disputed_charge_is_refused(self, receipt, asker, shop):
        shop.account.dispute(receipt.charge_id)
        shop.tell(*shop.events("charge.dispute."))

        with pytest.raises(refunds.RefundRefused, match="disputed"):
            ask(receipt, asker)

    @pytest.mark.usefixtures("threshold")
    def test_disputed_after_it_was_asked_for_is_not_approved(self, receipt, asker, decider, shop):
        asked = ask(receipt, asker)
        shop.account.dispute(receipt.charge_id)
        shop.tell(*shop.events("charge.dispute."))

        with pytest.raises(refunds.RefundRefused, match="disputed"):
            refunds.approve(request_id=asked.pk, user=decider)

    def test_of_a_blocked_receipt_is_refused_until_it_is_unblocked(self, receipt, asker):
        refund_blocks.block(receipt=receipt, user=asker, reason="under investigation")
        with pytest.raises(refunds.RefundRefused, match="blocked"):
            ask(receipt, asker)

        refund_blocks.unblock(receipt=receipt, user=asker, reason="cleared")
        assert ask(receipt, asker).state == State.APPROVED


class TestSending:
    def test_a_lost_answer_is_asked_for_again_and_refunds_once(self, receipt, asker, shop, agent):
        asked = ask(receipt, asker)
        shop.stand_in.faults.add(Fault("/v1/refunds", "POST", times=2, cut="after"))

        refund_sending.send(request_id=asked.pk)
        RefundRequest.objects.filter(pk=asked.pk).update(sent_at=clock.now() - timedelta(hours=1))
        assert refund_sending.resend_unsent() == 1
        refund_sending.send(request_id=asked.pk)

        assert len(shop.account.all("refund")) == 1
        assert ledger.balances(agent.agent.organization_id).paid == 0

    def test_what_stripe_refuses_ends_with_its_reason(self, receipt, asker, shop, agent):
        asked = ask(receipt, asker)
        shop.account.refund(receipt.charge_id)  # on Stripe's dashboard, unknown to us yet

        refund_sending.send(request_id=asked.pk)

        asked.refresh_from_db()
        assert asked.failure == "charge_already_refunded"
        assert ledger.balances(agent.agent.organization_id).paid == 500

    def test_sent_twice_tells_stripe_once(self, receipt, asker, shop):
        asked = ask(receipt, asker)

        for _ in range(3):
            refund_sending.send(request_id=asked.pk)

        assert len(shop.account.all("refund")) == 1


class TestSponsor:
    def test_asks_for_unused_credits_and_staff_decide(self, receipt, sponsor, decider, agent):
        spend(agent.agent.organization_id, 140)

        asked = refunds.request_as_sponsor(receipt=receipt, reason="", user=sponsor)

        assert (asked.amount_cents, asked.state) == (400, State.REQUESTED)
        refunds.approve(request_id=asked.pk, user=decider)
        refund_sending.send(request_id=asked.pk)
        assert ledger.balances(agent.agent.organization_id) == (0, 0, 0, 0)

    def test_does_not_get_back_what_was_spent_meanwhile(self, receipt, sponsor, decider, agent):
        asked = refunds.request_as_sponsor(receipt=receipt, reason="", user=sponsor)
        spend(agent.agent.organization_id, 100)

        with pytest.raises(refunds.RefundRefused, match="spent since"):
            refunds.approve(request_id=asked.pk, user=decider)

    def test_too_late_is_refused(self, receipt, sponsor, settings):
        settings.REFUND_WINDOW_DAYS = 0

        with pytest.raises(refunds.RefundRefused, match="within 0 days"):
            refunds.request_as_sponsor(receipt=receipt, reason="", user=sponsor)


class TestPaymentThatBoughtNothing:
    def test_goes_back_whole(self, shop, agent, asker):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id, amount_total=499)
        shop.tell()
        payment = UnmatchedPayment.objects.get()

        asked = refunds.request_for_unmatched(payment=payment, reason="wrong amount", user=asker)
        refund_sending.send(request_id=asked.pk)

        payment.refresh_from_db()
        assert payment.state == UnmatchedPayment.State.REFUNDED
        assert ledger.balances(agent.agent.organization_id).paid == 0
