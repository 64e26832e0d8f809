"""What one member of staff may do alone: sums of refunds and goodwill, by role."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group

from accounts.models import AuditLine, User
from billing import approvals, ledger
from billing.ledger import corrections
from billing.limits import staff_limits
from billing.models import (
    CreditCorrection,
    PaymentReversal,
    Receipt,
    RefundRequest,
    UnmatchedPayment,
)
from billing.reversals import refund_sending, refunds
from imageskill.lib import clock
from tests.billing.ledger.test_races import at_once
from tests.billing.money import buy, new_org

pytestmark = pytest.mark.django_db
State = RefundRequest.State
GOODWILL = CreditCorrection.Kind.GOODWILL


def receipt_of(cents: int = 5000, *, name: str = "a") -> Receipt:
    return buy(new_org(), cents, charge_id=f"ch_{name}")


def ask(receipt: Receipt, user: User, cents: int) -> RefundRequest:
    return refunds.request(
        receipt=receipt, amount_cents=cents, reason_code="service", reason="blank", user=user
    )


def settle(request: RefundRequest) -> None:
    """End a request as one that was refunded, so that the receipt takes another."""
    RefundRequest.objects.filter(pk=request.pk).update(
        state=State.APPROVED, finished_at=clock.now(), needs_second_person=False
    )


def grant(org: int, user: User, credits: int) -> CreditCorrection:
    return corrections.request(
        organization_id=org, kind=GOODWILL, credits=credits, reason="an outage", user=user
    )


class TestRefundsOfAReceipt:
    def test_of_20_20_and_10_dollars_of_50_the_second_and_third_wait(
        self, supporter, financier, settings
    ):
        settings.REFUND_SECOND_PERSON_CENTS_PER_DAY = 100_000
        receipt = receipt_of()

        states = []
        for cents in (2000, 2000, 1000):
            request = ask(receipt, supporter, cents)
            states.append(request.state)
            settle(request)

        assert states == [State.APPROVED, State.REQUESTED, State.REQUESTED]

    def test_counts_those_of_others_and_those_that_a_second_person_approved(
        self, supporter, lead_supporter, settings
    ):
        receipt = receipt_of()
        settle(ask(receipt, lead_supporter, 1500))

        assert ask(receipt, supporter, 501).state == State.REQUESTED

    def test_does_not_count_what_was_rejected_or_expired(self, supporter, financier):
        receipt = receipt_of()
        rejected = ask(receipt, supporter, 2001)
        refunds.reject(request_id=rejected.pk, user=financier, note="no")

        assert ask(receipt, supporter, 2000).state == State.APPROVED

    def test_counts_what_was_refunded_at_stripe(self, shop, agent, supporter):
        receipt = receipt_of(name="b")
        receipt_at_stripe(receipt, cents=1500)

        assert staff_limits.refunded_cents(receipt) == 1500
        assert ask(receipt, supporter, 501).state == State.REQUESTED


def receipt_at_stripe(receipt: Receipt, *, cents: int) -> None:
    PaymentReversal.objects.create(
        kind="refund", stripe_id="re_dashboard", receipt=receipt,
        organization_id=receipt.organization_id, charge_id=receipt.charge_id,
        amount_cents=cents, currency="USD", stripe_status="succeeded",
    )  # fmt: skip


class TestRefundsOfAPerson:
    def test_add_up_over_the_receipts_of_a_day(self, supporter):
        assert ask(receipt_of(name="a"), supporter, 1600).state == State.APPROVED

        assert ask(receipt_of(name="b"), supporter, 401).state == State.REQUESTED
        assert ask(receipt_of(name="c"), supporter, 400).state == State.REQUESTED  # pending counts

    def test_start_anew_on_the_next_day(self, supporter):
        ask(receipt_of(name="a"), supporter, 2000)

        with clock.at(clock.next_utc_midnight(clock.now()) + timedelta(seconds=1)):
            assert ask(receipt_of(name="b"), supporter, 2000).state == State.APPROVED

    def test_count_payments_that_bought_nothing(self, shop, agent, supporter):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id, amount_total=499)
        shop.tell()
        payment = UnmatchedPayment.objects.get()
        ask(receipt_of(), supporter, 1502)

        asked = refunds.request_for_unmatched(payment=payment, reason="amount", user=supporter)

        assert asked.state == State.REQUESTED

    def test_limits_differ_by_role_and_the_highest_counts(self, supporter, settings):
        settings.REFUND_SECOND_PERSON_CENTS_BY_ROLE = {"support": 300, "triage": 100}
        assert ask(receipt_of(name="a"), supporter, 301).state == State.REQUESTED
        assert ask(receipt_of(name="b"), supporter, 300).state == State.APPROVED
        supporter.groups.add(Group.objects.get(name="triage"))
        assert staff_limits.limit_of(supporter, "REFUND_SECOND_PERSON_CENTS") == 300
        settings.REFUND_SECOND_PERSON_CENTS_BY_ROLE = {"finance": 300}
        assert staff_limits.limit_of(supporter, "REFUND_SECOND_PERSON_CENTS") == 2000

    def test_without_a_role_the_setting_itself_binds(self, settings, django_user_model):
        settings.REFUND_SECOND_PERSON_CENTS_BY_ROLE = {"finance": 9000}
        nobody = django_user_model.objects.create_user("new@example.com")

        limit = staff_limits.limit_of(nobody, "REFUND_SECOND_PERSON_CENTS")

        assert limit == settings.REFUND_SECOND_PERSON_CENTS


class TestSponsorsRequest:
    @pytest.fixture
    def request_of(self, sponsor):
        def asked(cents: int, name: str = "s") -> RefundRequest:
            receipt = receipt_of(cents, name=name)
            return refunds.request_as_sponsor(receipt=receipt, reason="", user=sponsor)

        return asked

    def test_up_to_the_limits_needs_one_member_of_staff(self, request_of, financier):
        asked = refunds.approve(request_id=request_of(2000).pk, user=financier)

        assert (asked.state, asked.first_approved_by) == (State.APPROVED, None)

    def test_above_them_needs_two(self, request_of, financier, second_financier):
        request = request_of(2001)

        first = refunds.approve(request_id=request.pk, user=financier, note="unused")
        assert (first.state, first.first_approved_by) == (State.REQUESTED, financier)
        refund_sending.send(request_id=request.pk)
        with pytest.raises(approvals.DecisionRefused, match="approved this already"):
            refunds.approve(request_id=request.pk, user=financier)
        second = refunds.approve(request_id=request.pk, user=second_financier)

        assert (second.state, second.decided_by) == (State.APPROVED, second_financier)
        actions = AuditLine.objects.order_by("pk").values_list("action", flat=True)
        assert list(actions) == ["refund.request", "refund.approve_first", "refund.approved"]

    def test_approved_alone_counts_for_who_approved(self, request_of, financier):
        refunds.approve(request_id=request_of(1500, "s").pk, user=financier)

        again = refunds.approve(request_id=request_of(501, "t").pk, user=financier)

        assert again.state == State.REQUESTED
        assert ask(receipt_of(), financier, 501).state == State.REQUESTED

    def test_approved_alone_counts_on_its_day_only(self, request_of, financier):
        with clock.at(clock.now() - timedelta(days=1)):
            refunds.approve(request_id=request_of(1500, "s").pk, user=financier)

        assert ask(receipt_of(), financier, 2000).state == State.APPROVED

    def test_approved_by_two_counts_for_neither(self, request_of, financier, second_financier):
        request = request_of(5000)
        for user in (financier, second_financier):
            refunds.approve(request_id=request.pk, user=user)

        assert ask(receipt_of(), second_financier, 2000).state == State.APPROVED


class TestGoodwill:
    def test_adds_up_for_an_organization(self, supporter, lead_supporter):
        org = new_org()
        assert grant(org, supporter, 300).state == State.APPROVED

        assert grant(org, lead_supporter, 201).state == State.REQUESTED
        assert grant(org, lead_supporter, 1).state == State.REQUESTED  # pending counts

    def test_adds_up_for_a_person(self, supporter):
        assert grant(new_org(), supporter, 500).state == State.APPROVED

        waiting = grant(new_org(), supporter, 1)

        assert waiting.state == State.REQUESTED
        assert ledger.balances(waiting.organization_id).preview == 0

    def test_does_not_count_what_was_rejected(self, supporter, financier):
        org = new_org()
        waiting = grant(org, supporter, 501)
        corrections.reject(request_id=waiting.pk, user=financier, note="no outage")

        assert grant(org, supporter, 500).state == State.APPROVED

    def test_does_not_count_corrections_of_other_kinds(self, supporter):
        org = new_org()
        waiting = grant(org, supporter, 501)
        CreditCorrection.objects.filter(pk=waiting.pk).update(kind="adjust_preview")

        assert grant(org, supporter, 500).state == State.APPROVED

    def test_is_forgotten_after_thirty_days(self, supporter):
        org = new_org()
        grant(org, supporter, 500)

        with clock.at(clock.now() + timedelta(days=29)):
            assert grant(org, supporter, 1).state == State.REQUESTED
        with clock.at(clock.now() + timedelta(days=60)):
            assert grant(org, supporter, 500).state == State.APPROVED

    def test_lead_support_approves_sums_up_to_its_limit(
        self, supporter, lead_supporter, financier, settings
    ):
        settings.REFUND_LIMITED_APPROVAL_CENTS = 1000
        org = new_org()
        first, second = grant(org, supporter, 600), grant(org, supporter, 401)

        with pytest.raises(approvals.DecisionRefused, match="approval limit"):
            corrections.approve(request_id=first.pk, user=lead_supporter)
        corrections.approve(request_id=second.pk, user=financier)


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_requests_of_one_person_are_not_both_alone(self, supporter):
        receipts = [receipt_of(name=name) for name in "ab"]

        at_once(*[lambda each=each: ask(each, supporter, 1500) for each in receipts])

        states = RefundRequest.objects.values_list("state", flat=True)
        assert sorted(states) == [State.APPROVED, State.REQUESTED]

    def test_goodwill_of_two_people_for_one_organization_is_not_both_alone(
        self, supporter, lead_supporter
    ):
        org = new_org()

        at_once(*[lambda each=each: grant(org, each, 300) for each in (supporter, lead_supporter)])

        assert ledger.balances(org).preview == 300
