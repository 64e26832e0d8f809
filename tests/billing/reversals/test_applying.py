"""Refunds and disputes, by the rows of the money page's table and the rules around them."""

from itertools import permutations

import pytest

from accounts.models import ActivityEvent, Alert, AuditLine, Organization, User
from billing import ledger
from billing.chart import Purpose
from billing.ledger import clawbacks
from billing.models import Clawback, Lot, PaymentReversal, UnmatchedPayment
from billing.reversals import applying
from tests.billing.money import buy, capture, give, hold, house, release, spend
from tests.billing.stripe_facts import dispute, read_at, refund

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_in_order")]

State, Problem = PaymentReversal.State, PaymentReversal.Problem


def events() -> list[str]:
    names = ActivityEvent.objects.order_by("id").values_list("type", flat=True)
    return [name.removeprefix("credits.payment_backed_") for name in names]


class TestRefund:
    def test_with_nothing_spent_takes_everything_back(self, org):
        receipt = buy(org, 500, charge_id="ch_a")

        reversal = applying.apply_refund(refund("re_a", "ch_a", 500))

        assert (reversal.state, reversal.credits) == (State.APPLIED, 500)
        assert ledger.balances(org) == (0, 0, 0, 0)
        assert house(Purpose.PAYMENTS) == 0
        [event] = ActivityEvent.objects.all()
        assert event.type == "credits.payment_backed_refunded"
        assert event.links == {
            "quote_id": receipt.quote.public_id,
            "receipt_id": receipt.public_id,
            "payment_reversal_id": reversal.public_id,
            "credit_event_id": reversal.credit_event_id,
        }

    def test_after_120_of_500_were_spent_takes_380_and_leaves_120_owed(self, org):
        buy(org, 500, charge_id="ch_a")
        spend(org, 120)

        applying.apply_refund(refund("re_a", "ch_a", 500))

        assert ledger.balances(org) == (0, 0, 0, 120)
        assert events() == ["refunded", "reversal_pending"]

    def test_owing_stops_spending_even_free_credits(self, org):
        buy(org, 500, charge_id="ch_a")
        spend(org, 120)
        applying.apply_refund(refund("re_a", "ch_a", 500))
        give(org, 40)

        with pytest.raises(ledger.InsufficientCredits, match="120 credits are owed"):
            hold(org, "job_a", 1)

    def test_the_next_purchase_settles_what_is_owed_first(self, org):
        buy(org, 500, charge_id="ch_a")
        spend(org, 120)
        applying.apply_refund(refund("re_a", "ch_a", 500))

        receipt = buy(org, 500)

        assert ledger.balances(org) == (0, 380, 0, 0)
        assert receipt.owed_settled_credits == 120
        again = ledger.grant_paid(
            organization_id=org, receipt_id=receipt.public_id, credits=500, actor="tests"
        )
        assert again.settled == 120

    def test_the_oldest_purchase_s_debt_is_settled_first(self, org):
        first, second = buy(org, 100, charge_id="ch_a"), buy(org, 100, charge_id="ch_b")
        spend(org, 200)
        for charge_id in ("ch_a", "ch_b"):
            applying.apply_refund(refund(f"re_{charge_id}", charge_id, 100))

        buy(org, 100)

        debts = dict(Clawback.objects.values_list("receipt_id", "owed"))
        assert debts == {first.public_id: 0, second.public_id: 100}

    def test_a_small_purchase_settles_a_part(self, org):
        buy(org, 500, charge_id="ch_a")
        spend(org, 120)
        applying.apply_refund(refund("re_a", "ch_a", 500))

        buy(org, 100)

        assert ledger.balances(org) == (0, 0, 0, 20)

    def test_partial_ones_add_up_to_the_receipt_and_no_further(self, org):
        buy(org, 500, charge_id="ch_a")

        first, second, third = (
            applying.apply_refund(refund(f"re_{cents}", "ch_a", cents)) for cents in (200, 300, 1)
        )

        assert (first.credits, second.credits, third.credits) == (200, 300, 0)
        assert (third.state, third.problem) == (State.REJECTED, Problem.REVERSED_ALREADY)
        assert third in PaymentReversal.objects.flagged()
        assert ledger.balances(org) == (0, 0, 0, 0)
        assert events() == ["refunded", "refunded", "reversal_rejected"]

    def test_is_in_force_by_its_cents_where_a_promotion_made_credits_cheaper(self, org):
        buy(org, 500, charge_id="ch_a", discount=100)

        reversal = applying.apply_refund(refund("re_a", "ch_a", 200))

        assert (reversal.credits, reversal.in_force_cents) == (250, 200)

    def test_takes_its_share_by_when_stripe_made_it_not_by_when_we_heard(self, org):
        buy(org, 500, charge_id="ch_a")
        first, second = refund("re_first", "ch_a", 300), refund("re_second", "ch_a", 300)

        applying.apply_refund(second)
        applying.apply_refund(first)

        shares = PaymentReversal.objects.values_list("stripe_id", "credits")
        assert dict(shares) == {"re_first": 300, "re_second": 200}

    def test_counts_once_however_many_events_bring_it(self, org):
        buy(org, 500, charge_id="ch_a")

        for _ in range(3):
            applying.apply_refund(refund("re_a", "ch_a", 200))

        assert ledger.balances(org) == (0, 300, 0, 0)
        assert events() == ["refunded"]

    def test_moves_nothing_until_it_succeeded(self, org):
        buy(org, 500, charge_id="ch_a")

        applying.apply_refund(refund("re_a", "ch_a", 500, status="pending"))
        assert ledger.balances(org) == (0, 500, 0, 0)

        applying.apply_refund(refund("re_a", "ch_a", 500))
        assert ledger.balances(org) == (0, 0, 0, 0)

    def test_that_fails_later_is_undone_exactly(self, org):
        old, new = buy(org, 500, charge_id="ch_a"), buy(org, 100)
        spend(org, 300)
        before = (ledger.balances(org), lots())

        applying.apply_refund(refund("re_a", "ch_a", 500))
        assert ledger.balances(org) == (0, 0, 0, 200)
        for _ in range(2):
            applying.apply_refund(refund("re_a", "ch_a", 500, status="failed"))

        assert (ledger.balances(org), lots()) == before
        assert events()[-1] == "reinstated"
        assert (old.public_id in lots(), new.public_id in lots()) == (True, True)

    def test_that_failed_before_it_was_heard_of_moves_nothing(self, org):
        buy(org, 500, charge_id="ch_a")

        applying.apply_refund(refund("re_a", "ch_a", 500, status="failed"), read_at=read_at(2))
        late = applying.apply_refund(refund("re_a", "ch_a", 500), read_at=read_at(1))

        assert (late.state, late.get_state_display()) == (State.CLOSED, "Failed")
        assert ledger.balances(org) == (0, 500, 0, 0)

    def test_takes_the_purchases_own_credits_first(self, org):
        old, new = buy(org, 100), buy(org, 100, charge_id="ch_b")

        applying.apply_refund(refund("re_b", "ch_b", 70))

        assert lots() == {old.public_id: 100, new.public_id: 30}

    def test_in_another_currency_moves_nothing(self, org):
        buy(org, 500, charge_id="ch_a")

        reversal = applying.apply_refund(refund("re_a", "ch_a", 500, currency="EUR"))

        assert reversal.problem == Problem.OTHER_CURRENCY
        assert ledger.balances(org) == (0, 500, 0, 0)
        assert events() == ["reversal_rejected"]

    def test_without_a_known_receipt_waits_in_the_queue_without_an_event(self, org):
        reversal = applying.apply_refund(refund("re_a", "ch_a", 500))

        assert reversal.problem == Problem.NO_RECEIPT
        assert not ActivityEvent.objects.exists()

        buy(org, 500, charge_id="ch_a")
        assert applying.unmatched_with_receipt() == [reversal]
        applying.apply_refund(refund("re_a", "ch_a", 500))
        assert ledger.balances(org) == (0, 0, 0, 0)
        assert not PaymentReversal.objects.flagged().exists()

    def test_tells_the_sponsor_once(self, org):
        user = User.objects.create_user("sponsor@example.com")
        Organization.objects.filter(pk=org).update(owner=user)
        buy(org, 500, charge_id="ch_a")

        for _ in range(2):
            applying.apply_refund(refund("re_a", "ch_a", 500))

        [alert] = Alert.objects.filter(kind=Alert.Kind.REFUND)
        assert alert.facts["amount"] == "$5.00"

    def test_of_a_payment_that_bought_nothing_marks_it_as_given_back(self, org):
        early = applying.apply_refund(refund("re_b", "ch_b", 500))
        assert early.problem == Problem.NO_RECEIPT
        quote = buy(org, 500, charge_id="ch_a").quote
        attempt = quote.attempts.create(
            idempotency_key="k",
            environment="stand_in",
            status="overpaid",
            session_expires_at=quote.expires_at,
            next_check_at=quote.expires_at,
        )
        UnmatchedPayment.objects.create(
            quote=quote,
            attempt=attempt,
            checkout_session_id="cs_b",
            payment_intent_id="pi_b",
            charge_id="ch_b",
            reason="second_payment",
            environment="stand_in",
            amount_cents=500,
            currency="USD",
        )

        reversal = applying.apply_refund(refund("re_b", "ch_b", 500))

        assert (reversal.state, reversal.problem) == (State.SET_ASIDE, "")
        assert UnmatchedPayment.objects.get().state == UnmatchedPayment.State.REFUNDED
        assert ledger.balances(org) == (0, 500, 0, 0)


def lots() -> dict[str, int]:
    return dict(Lot.objects.values_list("reference", "left"))


class TestRefundWhileAJobHolds:
    @pytest.fixture(autouse=True)
    def _held(self, org):
        buy(org, 500, charge_id="ch_a")
        hold(org, "job_a", 90)
        applying.apply_refund(refund("re_a", "ch_a", 500))
        assert ledger.balances(org) == (0, 0, 90, 90)

    def test_the_job_is_charged_and_the_rest_settles(self, org):
        capture(org, "job_a", 60)

        assert ledger.balances(org) == (0, 0, 0, 60)

    def test_a_released_hold_settles_everything(self, org):
        release(org, "job_a")

        assert ledger.balances(org) == (0, 0, 0, 0)


class TestDispute:
    def test_sets_the_credits_aside(self, org):
        buy(org, 500, charge_id="ch_a")

        applying.apply_dispute(dispute("du_a", "ch_a", 500))

        assert ledger.balances(org) == (0, 0, 0, 0)
        assert house(Purpose.SUSPENSE) == 500
        assert events() == ["disputed"]

    def test_an_inquiry_moves_nothing(self, org):
        buy(org, 500, charge_id="ch_a")
        inquiry = {"status": "warning_needs_response", "withdrawn": False}

        applying.apply_dispute(dispute("du_a", "ch_a", 500, **inquiry))
        assert ledger.balances(org) == (0, 500, 0, 0)

        closed = {"status": "warning_closed", "withdrawn": False}
        reversal = applying.apply_dispute(dispute("du_a", "ch_a", 500, **closed))
        assert reversal.state == State.CLOSED
        assert events() == []

    def test_a_refund_beside_it_is_a_phase_of_its_own_as_its_share_shrinks(self, org):
        buy(org, 500, charge_id="ch_a")
        applying.apply_dispute(dispute("du_a", "ch_a", 500))

        applying.apply_refund(refund("re_a", "ch_a", 200))

        disputed = PaymentReversal.objects.get(stripe_id="du_a")
        phases = disputed.phases.filter(phase="taken").order_by("id")
        assert [phase.details["taken"] for phase in phases] == [500, 300]

    def test_of_a_receipt_with_200_refunded_takes_300_and_flags_200(self, org):
        buy(org, 500, charge_id="ch_a")
        applying.apply_refund(refund("re_a", "ch_a", 200))

        reversal = applying.apply_dispute(dispute("du_a", "ch_a", 500))

        assert (reversal.credits, reversal.excess_credits) == (300, 200)
        assert reversal in PaymentReversal.objects.flagged()
        assert ledger.balances(org) == (0, 0, 0, 0)

    WON = (
        dispute("du_a", "ch_a", 500),
        dispute("du_a", "ch_a", 500, status="won"),
        dispute("du_a", "ch_a", 500, status="won", reinstated=True),
    )

    @pytest.mark.parametrize("order", list(permutations(range(3))))
    def test_won_with_events_twice_and_in_any_order_is_as_before(self, org, order):
        buy(org, 500, charge_id="ch_a")
        spend(org, 120)

        for number in (*order, *order):
            reversal = applying.apply_dispute(self.WON[number], read_at=read_at(number))

        assert ledger.balances(org) == (0, 380, 0, 0)
        assert house(Purpose.SUSPENSE) == 0
        assert reversal.state == State.UNDONE
        told = ["disputed", "reversal_pending", "reinstated"]
        assert events() == (told if order[0] < 2 else [])

    def test_won_after_a_purchase_settled_it_gives_that_back_too(self, org):
        buy(org, 500, charge_id="ch_a")
        spend(org, 120)
        applying.apply_dispute(dispute("du_a", "ch_a", 500))
        buy(org, 500)
        assert ledger.balances(org) == (0, 380, 0, 0)

        applying.apply_dispute(dispute("du_a", "ch_a", 500, status="won", reinstated=True))

        assert ledger.balances(org) == (0, 880, 0, 0)

    def test_won_pays_other_debts_from_what_comes_back(self, org):
        buy(org, 500, charge_id="ch_a")
        buy(org, 100, charge_id="ch_b")
        applying.apply_dispute(dispute("du_a", "ch_a", 500))
        spend(org, 50)
        applying.apply_refund(refund("re_b", "ch_b", 100))
        assert ledger.balances(org) == (0, 0, 0, 50)

        applying.apply_dispute(dispute("du_a", "ch_a", 500, status="won", reinstated=True))

        assert ledger.balances(org) == (0, 450, 0, 0)

    def test_lost_leaves_nothing_in_suspense(self, org):
        buy(org, 500, charge_id="ch_a")
        spend(org, 120)
        applying.apply_dispute(dispute("du_a", "ch_a", 500))

        for _ in range(2):
            applying.apply_dispute(dispute("du_a", "ch_a", 500, status="lost"))

        assert (house(Purpose.SUSPENSE), house(Purpose.LOSSES)) == (0, 260)
        assert ledger.balances(org) == (0, 0, 0, 120)

    def test_lost_and_settled_later_is_wholly_a_loss(self, org):
        buy(org, 500, charge_id="ch_a")
        spend(org, 120)
        applying.apply_dispute(dispute("du_a", "ch_a", 500, status="lost"))

        buy(org, 200)

        assert (house(Purpose.SUSPENSE), house(Purpose.LOSSES)) == (0, 500)
        assert ledger.balances(org) == (0, 80, 0, 0)

    def test_funds_that_come_back_after_it_was_lost_come_from_the_losses(self, org):
        buy(org, 500, charge_id="ch_a")
        spend(org, 120)
        applying.apply_dispute(dispute("du_a", "ch_a", 500, status="lost"))
        assert house(Purpose.LOSSES) == 260

        reversal = applying.apply_dispute(
            dispute("du_a", "ch_a", 500, status="won", reinstated=True)
        )

        assert (reversal.state, reversal.problem) == (State.UNDONE, "")
        assert ledger.balances(org) == (0, 380, 0, 0)
        assert (house(Purpose.SUSPENSE), house(Purpose.LOSSES)) == (0, 0)

    def test_amounts_are_those_that_stand_now(self, org):
        buy(org, 500, charge_id="ch_a")
        inquiry = {"status": "warning_needs_response", "withdrawn": False}
        applying.apply_dispute(dispute("du_a", "ch_a", 500, **inquiry))

        reversal = applying.apply_dispute(dispute("du_a", "ch_a", 300))

        assert (reversal.amount_cents, reversal.credits) == (300, 300)
        assert ledger.balances(org) == (0, 200, 0, 0)

    def test_a_part_that_is_reinstated_goes_back(self, org):
        buy(org, 500, charge_id="ch_a")
        applying.apply_dispute(dispute("du_a", "ch_a", 500))

        reversal = applying.apply_dispute(dispute("du_a", "ch_a", 500, reinstated=200))

        assert (reversal.state, reversal.credits) == (State.APPLIED, 300)
        assert ledger.balances(org) == (0, 200, 0, 0)
        assert house(Purpose.SUSPENSE) == 300


class TestFlagged:
    """What the books could not follow stays in finance's queue until somebody resolves it."""

    @pytest.fixture
    def staff(self, financier):
        return financier

    def resolve(self, reversal, staff):
        return applying.resolve(reversal_id=reversal.pk, user=staff, reason="matched by hand")

    def test_resolved_with_a_reason_it_leaves_the_queue_and_moves_nothing(self, org, staff):
        buy(org, 500, charge_id="ch_a")
        reversal = applying.apply_refund(refund("re_a", "ch_a", 700))
        before = ledger.balances(org)

        resolved = self.resolve(reversal, staff)

        assert (resolved.resolution, resolved.problem) == (
            "matched by hand",
            Problem.EXCEEDS_RECEIPT,
        )
        assert not PaymentReversal.objects.flagged().exists()
        assert ledger.balances(org) == before
        line = AuditLine.objects.get(action="reversal.resolve", subject=reversal.public_id)
        assert (line.user, line.reason) == (staff, "matched by hand")

    def test_it_is_resolved_once(self, org, staff):
        reversal = applying.apply_refund(refund("re_a", "ch_a", 500))
        self.resolve(reversal, staff)

        with pytest.raises(applying.NotFlagged):
            self.resolve(reversal, staff)
        assert AuditLine.objects.filter(action="reversal.resolve").count() == 1

    def test_without_a_problem_there_is_nothing_to_resolve(self, org, staff):
        buy(org, 500, charge_id="ch_a")
        reversal = applying.apply_refund(refund("re_a", "ch_a", 500))

        with pytest.raises(applying.NotFlagged):
            self.resolve(reversal, staff)

    def test_the_same_news_again_does_not_bring_it_back(self, org, staff):
        buy(org, 500, charge_id="ch_a")
        told = refund("re_a", "ch_a", 700)
        self.resolve(applying.apply_refund(told), staff)

        again = applying.apply_refund(told)

        assert again.resolution == "matched by hand"
        assert not PaymentReversal.objects.flagged().exists()

    def test_another_problem_does(self, org, staff):
        waiting = applying.apply_refund(refund("re_a", "ch_a", 700))
        self.resolve(waiting, staff)
        buy(org, 500, charge_id="ch_a")

        applying.apply_refund(refund("re_a", "ch_a", 700))

        [flagged] = PaymentReversal.objects.flagged()
        assert (flagged.problem, flagged.resolution) == (Problem.EXCEEDS_RECEIPT, "")


class TestWriteOff:
    def write_off(self, org: int, credits: int, key: str = "a") -> int:
        return clawbacks.write_off(
            organization_id=org, credits=credits, key=key, actor="tests", reason="goodwill"
        )

    @pytest.fixture(autouse=True)
    def _bought_and_spent(self, org):
        buy(org, 500, charge_id="ch_a")
        spend(org, 120)

    def test_of_a_refunds_debt_is_a_loss(self, org):
        applying.apply_refund(refund("re_a", "ch_a", 500))

        assert self.write_off(org, 120) == 120

        assert ledger.balances(org) == (0, 0, 0, 0)
        assert house(Purpose.LOSSES) == 120

    def test_is_borne_by_the_last_reversal_of_a_purchase(self, org):
        spend(org, 380)
        first, last = (
            applying.apply_refund(refund(f"re_{cents}", "ch_a", cents)) for cents in (300, 200)
        )

        self.write_off(org, 200)

        debts = dict(Clawback.objects.values_list("reference", "owed"))
        assert debts == {first.public_id: 300, last.public_id: 0}

    def test_never_exceeds_what_is_owed(self, org):
        applying.apply_refund(refund("re_a", "ch_a", 500))

        assert self.write_off(org, 500) == 120
        assert self.write_off(org, 500, "b") == 0

    def test_of_an_open_dispute_that_is_won_later_is_recovered(self, org):
        applying.apply_dispute(dispute("du_a", "ch_a", 500))
        self.write_off(org, 100)

        applying.apply_dispute(dispute("du_a", "ch_a", 500, status="won", reinstated=True))

        assert ledger.balances(org) == (0, 380, 0, 0)
        assert (house(Purpose.SUSPENSE), house(Purpose.LOSSES)) == (0, 0)

    def test_of_a_lost_dispute_leaves_nothing_in_suspense(self, org):
        applying.apply_dispute(dispute("du_a", "ch_a", 500, status="lost"))

        self.write_off(org, 120)

        assert (house(Purpose.SUSPENSE), house(Purpose.LOSSES)) == (0, 380)
