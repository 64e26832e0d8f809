"""Refunds on request: simulated, asked for, decided by somebody else, sent, confirmed."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission

from accounts.models import AuditLine, User
from billing import approvals, ledger
from billing.approvals import DecisionRefused
from billing.ledger import checks
from billing.models import Receipt, RefundRequest, RefundStatus, UnmatchedPayment
from billing.purchases import fulfillment
from billing.reversals import (
    applying,
    refund_blocks,
    refund_sending,
    refund_simulation,
    refunds,
    shares,
)
from imageskill.dev.standins.faults import Fault
from imageskill.lib import clock
from tests.billing.money import hold, spend
from tests.billing.shop import only_receipt
from tests.billing.stripe_facts import dispute, refund

pytestmark = pytest.mark.django_db
State, Status = RefundRequest.State, RefundStatus


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

    @pytest.mark.usefixtures("threshold")
    def test_what_is_requested_counts_against_what_is_left(self, receipt, asker):
        ask(receipt, asker, 400)

        with pytest.raises(refunds.RefundRefused, match=r"from 0\.01 to 1\.00 USD"):
            ask(receipt, asker, 101)
        ask(receipt, asker, 100)
        with pytest.raises(refunds.RefundRefused, match=r"5\.00 USD are requested or under way"):
            ask(receipt, asker, 1)

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

    def test_what_a_lost_dispute_took_is_not_there_to_be_refunded(self, receipt):
        applying.apply_dispute(dispute("du_lost", receipt.charge_id, 200, status="lost"))

        assert shares.refundable_cents(receipt) == 300

    def test_what_is_pending_at_stripe_is_not_refunded_again(self, receipt, asker):
        pending = refund("re_by_hand", receipt.charge_id, 300, status="pending")
        applying.apply_refund(pending)

        with pytest.raises(refunds.RefundRefused):
            ask(receipt, asker, 201)
        assert ask(receipt, asker, 200).state == State.APPROVED

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
        assert (asked.failure, asked.status) == ("charge_already_refunded", Status.FAILED)
        assert asked.failure_words == "the payment was refunded already"
        assert ledger.balances(agent.agent.organization_id) == (40, 500, 0, 0)

    def test_sent_twice_tells_stripe_once(self, receipt, asker, shop):
        asked = ask(receipt, asker)

        for _ in range(3):
            refund_sending.send(request_id=asked.pk)

        assert len(shop.account.all("refund")) == 1

    def test_it_is_left_to_the_worker_that_sends_it(self, receipt, asker, shop, agent):
        asked = ask(receipt, asker)
        shop.stand_in.faults.add(Fault("/v1/refunds", "POST", times=2, cut="after"))
        refund_sending.send(request_id=asked.pk)
        asked.refresh_from_db()
        sent_at = asked.sent_at

        refund_sending.send(request_id=asked.pk)  # a second message, moments later

        asked.refresh_from_db()
        assert (asked.sent_at, asked.finished_at) == (sent_at, None)

    def test_a_lost_answer_after_stripe_forgot_the_key_refunds_once(
        self, receipt, asker, shop, agent
    ):
        """Stripe forgets idempotency keys after a day: the charge's refunds are looked at first."""
        asked = ask(receipt, asker)
        shop.stand_in.faults.add(Fault("/v1/refunds", "POST", times=2, cut="after"))
        refund_sending.send(request_id=asked.pk)
        shop.stand_in.forget_keys()
        later = clock.now() + timedelta(hours=30)

        with clock.at(later):
            refund_sending.send(request_id=asked.pk)

        assert len(shop.account.all("refund")) == 1
        asked.refresh_from_db()
        assert asked.status == Status.SUCCEEDED
        assert ledger.balances(agent.agent.organization_id).paid == 0


class TestUnderWay:
    """From sending to the outcome its credits are held, and its status is Stripe's."""

    @pytest.fixture
    def org(self, agent):
        return agent.agent.organization_id

    @pytest.fixture
    def sent(self, receipt, asker, shop):
        shop.account.refunds_begin_as = "pending"
        asked = ask(receipt, asker)
        refund_sending.send(request_id=asked.pk)
        asked.refresh_from_db()
        return asked

    def test_its_credits_are_held(self, sent, org):
        assert (sent.status, sent.reserved_credits) == (Status.PENDING, 500)
        assert ledger.balances(org) == (40, 0, 500, 0)
        with pytest.raises(ledger.InsufficientCredits):
            hold(org, "job_a", 41)

    def test_of_spent_credits_only_the_rest_is_held(self, receipt, asker, shop, org):
        spend(org, 40 + 120)
        shop.account.refunds_begin_as = "pending"
        asked = ask(receipt, asker)

        refund_sending.send(request_id=asked.pk)

        assert ledger.balances(org) == (0, 0, 380, 0)
        [at_stripe] = shop.account.all("refund")
        shop.account.settle_refund(at_stripe["id"])
        shop.tell(*shop.events("refund."))
        assert ledger.balances(org) == (0, 0, 0, 120)

    def test_success_takes_them_from_there(self, sent, org, shop):
        shop.account.settle_refund(sent.stripe_refund_id)
        shop.tell(*shop.events("refund."))

        sent.refresh_from_db()
        assert (sent.status, sent.reserved_credits) == (Status.SUCCEEDED, 0)
        assert ledger.balances(org) == (40, 0, 0, 0)

    @pytest.mark.parametrize("end", ["fail_refund", "cancel_refund"])
    def test_a_failure_returns_them_and_says_why(self, sent, org, shop, end):
        shop.account.ask_buyer(sent.stripe_refund_id)
        shop.tell(*shop.events("refund."))
        sent.refresh_from_db()
        assert sent.status == Status.REQUIRES_ACTION

        getattr(shop.account, end)(sent.stripe_refund_id)
        shop.tell(*shop.events("refund."))

        sent.refresh_from_db()
        assert (sent.status, sent.reserved_credits) == (Status.FAILED, 0)
        assert sent.failure == {"fail_refund": "unknown", "cancel_refund": "canceled"}[end]
        assert ledger.balances(org) == (40, 500, 0, 0)
        assert sent in RefundRequest.objects.failed()

    def test_a_dispute_meanwhile_and_then_its_failure_settles_what_is_owed(self, sent, org):
        charge = sent.receipt.charge_id
        applying.apply_dispute(dispute("du_meanwhile", charge, 500))
        assert ledger.balances(org) == (40, 0, 500, 500)

        applying.apply_refund(refund(sent.stripe_refund_id, charge, 500, status="failed"))

        assert ledger.balances(org) == (40, 0, 0, 0)

    def test_a_failed_one_is_sent_again_and_refunds_once(self, sent, org, shop, asker):
        shop.account.fail_refund(sent.stripe_refund_id, reason="lost_or_stolen_card")
        shop.tell(*shop.events("refund."))
        shop.account.refunds_begin_as = "succeeded"

        refunds.retry(request_id=sent.pk, user=asker, reason="the buyer has a new card")
        refund_sending.send(request_id=sent.pk)

        sent.refresh_from_db()
        assert sent.status == Status.SUCCEEDED
        assert [one["status"] for one in shop.account.all("refund")] == ["succeeded", "failed"]
        assert ledger.balances(org) == (40, 0, 0, 0)
        line = AuditLine.objects.get(action="refund.retry")
        assert line.before["failure"] == "lost_or_stolen_card"
        with pytest.raises(refunds.RefundRefused, match="has not failed"):
            refunds.retry(request_id=sent.pk, user=asker, reason="again")

    def test_one_that_failed_and_arrived_after_all_has_not_failed(self, sent, org):
        charge = sent.receipt.charge_id
        applying.apply_refund(refund(sent.stripe_refund_id, charge, 500, status="failed"))
        sent.refresh_from_db()
        finished_at = sent.finished_at

        applying.apply_refund(refund(sent.stripe_refund_id, charge, 500))

        sent.refresh_from_db()
        assert (sent.status, sent.failure) == (Status.SUCCEEDED, "")
        assert sent.finished_at == finished_at  # of when Stripe answered
        assert ledger.balances(org) == (40, 0, 0, 0)

    def test_a_failed_one_of_a_payment_that_went_back_otherwise_is_not_sent_again(
        self, sent, shop, asker
    ):
        shop.account.fail_refund(sent.stripe_refund_id)
        shop.tell(*shop.events("refund."))
        applying.apply_refund(refund("re_by_hand", sent.receipt.charge_id, 500))

        with pytest.raises(refunds.RefundRefused):
            refunds.retry(request_id=sent.pk, user=asker, reason="the buyer has a new card")

    def test_a_failed_one_leaves_the_list_when_it_is_resolved(self, sent, shop, asker):
        shop.account.fail_refund(sent.stripe_refund_id)
        shop.tell(*shop.events("refund."))

        refunds.resolve_failure(request_id=sent.pk, user=asker, reason="paid by bank transfer")

        assert not RefundRequest.objects.failed().exists()
        with pytest.raises(refunds.RefundRefused):
            refunds.resolve_failure(request_id=sent.pk, user=asker, reason="again")

    def test_one_that_succeeded_and_then_failed_is_listed_too(self, receipt, asker, shop, org):
        asked = ask(receipt, asker)
        refund_sending.send(request_id=asked.pk)
        asked.refresh_from_db()
        assert asked.status == Status.SUCCEEDED

        shop.account.fail_refund(asked.stripe_refund_id, reason="declined")
        shop.tell(*shop.events("refund."))

        assert [one.failure for one in RefundRequest.objects.failed()] == ["declined"]
        assert ledger.balances(org).paid == 500


class TestClocks:
    def test_one_that_is_ahead_hides_no_later_news(self, receipt, shop):
        org = receipt.organization_id
        made = shop.account.refund(receipt.charge_id, 200)
        with clock.at(lambda: clock.now() + timedelta(hours=1)):
            shop.tell(*shop.events("refund."))
        assert ledger.balances(org).paid == 300

        shop.account.fail_refund(made["id"])
        shop.tell(*shop.events("refund.failed"))

        assert ledger.balances(org).paid == 500


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

    @pytest.fixture
    def payment(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id, amount_total=499)
        shop.tell()
        return UnmatchedPayment.objects.get()

    def send(self, payment, user, cents=None):
        asked = refunds.request_for_unmatched(
            payment=payment, reason="odd", user=user, amount_cents=cents
        )
        refund_sending.send(request_id=asked.pk)
        payment.refresh_from_db()
        asked.refresh_from_db()
        return asked

    def test_from_the_approval_on_it_is_being_refunded(self, payment, asker):
        refunds.request_for_unmatched(payment=payment, reason="odd", user=asker)

        payment.refresh_from_db()
        assert (payment.state, payment.resolved_at) == ("refunding", None)

    def test_goes_back_in_two_parts(self, payment, asker):
        self.send(payment, asker, 200)
        assert (payment.state, payment.refunded_cents) == ("partly_refunded", 200)

        assert self.send(payment, asker).amount_cents == 299

        assert (payment.state, payment.refunded_cents) == ("refunded", 499)

    def test_opens_again_by_the_part_that_failed(self, payment, asker, shop):
        self.send(payment, asker, 200)
        second = self.send(payment, asker)
        assert payment.state == "refunded"

        shop.account.fail_refund(second.stripe_refund_id)
        shop.tell(*shop.events("refund."))

        payment.refresh_from_db()
        assert (payment.state, payment.refunded_cents) == ("partly_refunded", 200)
        assert payment in UnmatchedPayment.objects.open()
        with pytest.raises(refunds.RefundRefused, match=r"0\.01 to 2\.99 USD"):
            self.send(payment, asker, 300)

        refunds.retry(request_id=second.pk, user=asker, reason="the buyer has a new card")
        refund_sending.send(request_id=second.pk)

        payment.refresh_from_db()
        assert (payment.state, payment.refunded_cents) == ("refunded", 499)
        made = shop.account.all("refund")
        assert sorted((one["status"], one["amount"]) for one in made) == [
            ("failed", 299),
            ("succeeded", 200),
            ("succeeded", 299),
        ]

    def test_what_a_dispute_took_of_it_is_not_returned(self, payment, asker, shop):
        applying.apply_dispute(dispute("du_a", payment.charge_id, 200, status="lost"))
        payment.refresh_from_db()
        assert (payment.state, payment.refunded_cents) == ("partly_refunded", 0)

        with pytest.raises(refunds.RefundRefused, match=r"0\.01 to 2\.99 USD"):
            self.send(payment, asker, 300)

    def test_pending_and_then_failed_it_is_open_again(self, payment, asker, shop):
        shop.account.refunds_begin_as = "pending"
        asked = self.send(payment, asker)
        assert payment.state == "refunding"
        with pytest.raises(refunds.RefundRefused, match="refund is pending"):
            self.send(payment, asker)

        shop.account.fail_refund(asked.stripe_refund_id)
        shop.tell(*shop.events("refund."))

        payment.refresh_from_db()
        assert (payment.state, payment.resolved_at) == ("open", None)
        assert payment in UnmatchedPayment.objects.open()
        assert RefundRequest.objects.failed().count() == 1

    def test_disputed_it_is_not_returned_and_lost_it_is_closed(self, payment, asker, shop):
        disputed = shop.account.dispute(payment.charge_id)
        shop.tell(*shop.events("charge.dispute."))
        payment.refresh_from_db()
        assert payment.state == "disputed"
        with pytest.raises(refunds.RefundRefused, match="disputed"):
            self.send(payment, asker)

        shop.account.lose(disputed["id"])
        shop.tell(*shop.events("charge.dispute."))

        payment.refresh_from_db()
        assert payment.state == "lost"
        assert payment.resolved_at is not None
