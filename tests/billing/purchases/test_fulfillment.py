"""From Stripe's word to credits: once, for the right amount, in whatever order it comes."""

import random
from datetime import timedelta

import pytest
from django.db import transaction

from accounts.models import ActivityEvent, Agent
from billing import ledger
from billing.ledger import checks
from billing.models import AttemptStatus, PaymentAttempt, Receipt, StripeEvent, UnmatchedPayment
from billing.purchases import buyers, checkout, fulfillment
from billing.stripe import gateway
from billing.webhooks import inbox
from imageskill.dev.standins.faults import Fault
from imageskill.lib import clock
from tests.billing.shop import at_once, only_receipt
from tests.cast import sign_up

Reason = UnmatchedPayment.Reason


def paid_credits(buyer):
    return ledger.balances(buyer.agent.organization_id).paid


@pytest.mark.django_db
class TestPaid:
    def test_credits_receipt_event_and_claim_state(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id)
        shop.tell()
        receipt = only_receipt()
        assert paid_credits(agent) == receipt.credits == receipt.balance_after == 500
        assert receipt.number == f"TEST-{clock.now().year}-000001"
        assert receipt.environment == "stand_in"
        assert receipt.charge_id.startswith("ch_")
        [event] = ActivityEvent.objects.filter(type="credits.payment_backed_granted")
        assert event.links == {
            "quote_id": receipt.quote.public_id,
            "receipt_id": receipt.public_id,
            "credit_event_id": receipt.credit_event_id,
        }
        agent.agent.refresh_from_db()
        assert agent.agent.claim_state == Agent.ClaimState.PAYMENT_BACKED_UNCLAIMED

    def test_a_claimed_agent_stays_claimed(self, shop, agent, sponsor):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id)
        fulfillment.fulfill(payment_attempt_id=attempt.public_id)
        agent.agent.refresh_from_db()
        assert agent.agent.claim_state == Agent.ClaimState.CLAIMED

    def test_a_declined_card_leaves_it_open(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.decline(attempt.checkout_session_id)
        found = fulfillment.fulfill(payment_attempt_id=attempt.public_id)
        assert found.status == AttemptStatus.OPEN
        shop.account.pay(attempt.checkout_session_id)
        fulfillment.fulfill(payment_attempt_id=attempt.public_id)
        only_receipt()

    def test_an_expired_session_grants_nothing(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.close_session(attempt.checkout_session_id)
        shop.tell()
        attempt.refresh_from_db()
        assert attempt.status == AttemptStatus.EXPIRED
        assert not Receipt.objects.exists()

    def test_numbers_have_no_gap_after_a_rollback(self, shop, agent, monkeypatch):
        first, second = shop.attempt(agent, 100, key="a"), shop.attempt(agent, 100, key="b")
        for attempt in (first, second):
            shop.account.pay(attempt.checkout_session_id)
        fulfillment.fulfill(payment_attempt_id=first.public_id)
        with monkeypatch.context() as patch:
            # As if the database went away at the last step of the transaction.
            patch.setattr(ActivityEvent.objects, "bulk_create", _fail)
            with pytest.raises(ConnectionError):
                fulfillment.fulfill(payment_attempt_id=second.public_id)
        fulfillment.fulfill(payment_attempt_id=second.public_id)
        numbers = sorted(Receipt.objects.values_list("number", flat=True))
        assert [number[-6:] for number in numbers] == ["000001", "000002"]


def _fail(*_, **__):
    raise ConnectionError


@pytest.mark.django_db
class TestNotWhatWasQuoted:
    def test_a_promotion_is_the_houses_to_bear(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id, discount_cents=100)
        shop.tell()
        receipt = only_receipt()
        assert (receipt.credits, receipt.amount_cents, receipt.discount_cents) == (500, 400, 100)

    def test_a_promotion_of_everything_is_paid_too(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id, discount_cents=500)
        shop.tell()
        receipt = only_receipt()
        assert (receipt.credits, receipt.amount_cents) == (500, 0)

    @pytest.mark.parametrize(
        ("surprise", "reason"),
        [
            ({"amount_total": 499}, Reason.AMOUNT_MISMATCH),
            ({"amount_total": 501}, Reason.AMOUNT_MISMATCH),
            ({"currency": "eur"}, Reason.CURRENCY_MISMATCH),
        ],
    )
    def test_it_waits_for_staff_and_grants_nothing(self, shop, agent, surprise, reason):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id, **surprise)
        shop.tell()
        shop.tell()
        attempt.refresh_from_db()
        assert (attempt.status, attempt.problem) == (AttemptStatus.NEEDS_STAFF, reason)
        assert not Receipt.objects.exists()
        assert paid_credits(agent) == 0
        assert UnmatchedPayment.objects.get().reason == reason

    def test_a_second_payment_is_never_credits(self, shop, agent):
        first = shop.attempt(agent)
        # The first session looks closed to us while a buyer still has it open.
        PaymentAttempt.objects.filter(pk=first.pk).update(status=AttemptStatus.EXPIRED)
        second = shop.attempt(agent)
        assert second.pk == first.pk  # the same key finds the same attempt
        quote = first.quote
        other = checkout.open_session(
            buyer=buyers.agent_buyer(agent.agent),
            quote_id=quote.public_id,
            idempotency_key="buy-again",
        )
        for attempt in (other, first):
            shop.account.pay(attempt.checkout_session_id)
        shop.tell()
        shop.tell()
        receipt = only_receipt()
        assert receipt.attempt_id == other.pk
        assert paid_credits(agent) == 500
        extra = UnmatchedPayment.objects.get()
        assert (extra.reason, extra.amount_cents) == (Reason.SECOND_PAYMENT, 500)
        assert extra.charge_id.startswith("ch_")
        first.refresh_from_db()
        assert first.status == AttemptStatus.OVERPAID


@pytest.mark.django_db
class TestPaidLater:
    """Completed unpaid, then paid asynchronously, or failed; in either order of events."""

    @pytest.mark.parametrize("order", [1, -1])
    def test_paid_in_the_end(self, shop, agent, order):
        attempt = shop.attempt(agent)
        shop.account.pay_later(attempt.checkout_session_id)
        shop.account.settle(attempt.checkout_session_id)
        shop.tell(*shop.events()[::order])
        assert only_receipt().credits == 500

    @pytest.mark.parametrize("order", [1, -1])
    def test_failed_in_the_end(self, shop, agent, order):
        attempt = shop.attempt(agent)
        shop.account.pay_later(attempt.checkout_session_id)
        shop.account.fail(attempt.checkout_session_id)
        shop.tell(*shop.events()[::order])
        attempt.refresh_from_db()
        assert attempt.status == AttemptStatus.FAILED
        assert not Receipt.objects.exists()

    def test_waiting_for_the_money_grants_nothing(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay_later(attempt.checkout_session_id)
        shop.tell()
        attempt.refresh_from_db()
        assert attempt.status == AttemptStatus.PROCESSING
        assert not Receipt.objects.exists()

    def test_while_the_money_is_under_way_nobody_can_pay_again(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay_later(attempt.checkout_session_id)
        shop.tell()
        again = checkout.open_session(
            buyer=buyers.agent_buyer(agent.agent),
            quote_id=attempt.quote.public_id,
            idempotency_key="again",
        )
        assert again.pk == attempt.pk
        assert len(shop.account.all("checkout.session")) == 1


@pytest.mark.django_db
class TestOrder:
    def test_the_webhook_comes_before_our_own_call_has_returned(self, shop, agent):
        quote = shop.quote(agent)
        shop.stand_in.faults.add(
            Fault(path="/v1/checkout/sessions", method="POST", times=2, cut="after")
        )
        with pytest.raises(gateway.PaymentProviderFailure):
            checkout.open_session(
                buyer=buyers.agent_buyer(agent.agent), quote_id=quote.public_id, idempotency_key="k"
            )
        [session] = shop.account.all("checkout.session")
        shop.account.pay(session["id"])
        shop.tell()
        late = checkout.open_session(
            buyer=buyers.agent_buyer(agent.agent), quote_id=quote.public_id, idempotency_key="k"
        )
        assert late.status == AttemptStatus.SUCCEEDED
        assert only_receipt().credits == 500
        created = ActivityEvent.objects.filter(type="payment.checkout_session.created")
        assert created.count() == 1


@pytest.mark.django_db
class TestDebts:
    def test_a_purchase_settles_what_is_owed_first(self, shop, agent):
        first = shop.attempt(agent, key="first")
        shop.account.pay(first.checkout_session_id)
        fulfillment.fulfill(payment_attempt_id=first.public_id)
        organization_id = agent.agent.organization_id
        with transaction.atomic():
            ledger.hold(organization_id=organization_id, job_id="job_1", credits=160, actor="tests")
            ledger.capture(organization_id=organization_id, job_id="job_1", credits=160)
        shop.account.refund(Receipt.objects.get().charge_id)
        shop.tell(*shop.events("refund."))
        # 40 of the 160 were preview credits.
        assert ledger.balances(organization_id)[1:] == (0, 0, 120)
        second = shop.attempt(agent, key="second")
        shop.account.pay(second.checkout_session_id)
        fulfillment.fulfill(payment_attempt_id=second.public_id)
        assert ledger.balances(organization_id)[1:] == (380, 0, 0)
        receipt = Receipt.objects.get(attempt=second)
        assert (receipt.owed_settled_credits, receipt.balance_after) == (120, 380)
        assert list(checks.ledger_problems()) == []


@pytest.mark.django_db
class TestSweep:
    def test_it_finds_what_no_webhook_told(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id)
        PaymentAttempt.objects.update(next_check_at=clock.now())
        assert fulfillment.sweep() == 1
        only_receipt()
        assert fulfillment.sweep() == 0

    def test_an_attempt_that_is_still_open_is_asked_about_later(self, shop, agent):
        attempt = shop.attempt(agent)
        PaymentAttempt.objects.update(next_check_at=clock.now())
        fulfillment.sweep()
        attempt.refresh_from_db()
        assert attempt.next_check_at > clock.now()

    def test_it_asks_right_after_the_session_has_ended(self, shop, agent):
        attempt = shop.attempt(agent)
        end = clock.now() + timedelta(seconds=10)
        PaymentAttempt.objects.update(
            created_at=clock.now() - timedelta(hours=2),
            next_check_at=clock.now(),
            session_expires_at=end,
        )
        fulfillment.sweep()
        attempt.refresh_from_db()
        assert end < attempt.next_check_at < end + timedelta(minutes=1)

    def test_stripe_out_of_reach_ends_the_round(self, shop, agent):
        shop.attempt(agent, key="a")
        shop.attempt(agent, key="b")
        PaymentAttempt.objects.update(next_check_at=clock.now())
        shop.stand_in.faults.add(Fault(times=None, cut="before"))
        assert fulfillment.sweep() == 0
        assert PaymentAttempt.objects.payable().count() == 2

    def test_a_session_that_stripe_no_longer_knows_expires_in_its_time(self, shop, agent):
        attempt = shop.attempt(agent)
        del shop.account.objects[attempt.checkout_session_id]
        for moves, status in ((False, AttemptStatus.OPEN), (True, AttemptStatus.EXPIRED)):
            past = {"session_expires_at": clock.now()} if moves else {}
            PaymentAttempt.objects.update(next_check_at=clock.now(), **past)
            now = clock.now()
            fulfillment.sweep()
            attempt.refresh_from_db()
            assert attempt.status == status
            assert (attempt.updated_at >= now) is moves  # the timeline's moment of its end

    def test_events_that_stripe_could_not_deliver_are_fetched(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id)
        assert inbox.fetch_undelivered() == 1
        assert inbox.fetch_undelivered() == 0
        [event] = StripeEvent.objects.all()
        assert event.deliveries == 1
        inbox.handle(event_id=event.event_id)
        only_receipt()


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_one_webhook_ten_times_four_at_once(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id)
        [event] = shop.events()

        def deliver():
            assert shop.post(event).status_code == 200
            inbox.handle(event_id=event["id"])

        for _ in range(2):
            assert at_once(*[deliver] * 4) == [None] * 4
        assert at_once(*[deliver] * 2) == [None] * 2
        only_receipt()
        assert paid_credits(agent) == 500
        assert shop.outcome(event).deliveries == 10
        assert shop.outcome(event).state == StripeEvent.State.HANDLED

    def test_two_events_for_one_session(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay_later(attempt.checkout_session_id)
        shop.account.settle(attempt.checkout_session_id)
        events = shop.events()
        at_once(*[lambda event=event: shop.tell(event) for event in events * 2])
        only_receipt()
        assert paid_credits(agent) == 500

    def test_webhook_success_page_and_sweep_at_the_same_moment_fifty_times(self, shop, agent):
        chance = random.Random(4)
        for number in range(50):
            attempt = shop.attempt(agent, 50 + number, key=f"buy-{number}")
            shop.account.pay(attempt.checkout_session_id)
            PaymentAttempt.objects.filter(pk=attempt.pk).update(next_check_at=clock.now())
            event = shop.events()[-1]
            ways = [
                lambda event=event: shop.tell(event),
                lambda attempt=attempt: fulfillment.fulfill(payment_attempt_id=attempt.public_id),
                fulfillment.sweep,
            ]
            chance.shuffle(ways)
            failures = [one for one in at_once(*ways) if isinstance(one, Exception)]
            assert failures == []
        receipts = Receipt.objects.order_by("id")
        assert receipts.count() == 50
        assert paid_credits(agent) == sum(range(50, 100))
        numbers = sorted(int(receipt.number[-6:]) for receipt in receipts)
        assert numbers == list(range(1, 51))

    def test_two_sessions_of_one_quote_paid_at_once(self, shop, agent):
        first = shop.attempt(agent)
        PaymentAttempt.objects.filter(pk=first.pk).update(status=AttemptStatus.EXPIRED)
        other = checkout.open_session(
            buyer=buyers.agent_buyer(agent.agent),
            quote_id=first.quote.public_id,
            idempotency_key="again",
        )
        for attempt in (first, other):
            shop.account.pay(attempt.checkout_session_id)
        found = at_once(
            *[
                lambda attempt=attempt: fulfillment.fulfill(payment_attempt_id=attempt.public_id)
                for attempt in (first, other)
            ]
        )
        assert {attempt.status for attempt in found} == {
            AttemptStatus.SUCCEEDED,
            AttemptStatus.OVERPAID,
        }
        only_receipt()
        assert UnmatchedPayment.objects.count() == 1

    def test_receipts_of_many_organizations_share_one_series_without_a_gap(self, shop, agent):
        people = [sign_up(name=f"agent-{n}", contact=f"{n}@example.com") for n in range(6)]
        attempts = [shop.attempt(buyer, 100) for buyer in people]
        for attempt in attempts:
            shop.account.pay(attempt.checkout_session_id)
        at_once(
            *[
                lambda attempt=attempt: fulfillment.fulfill(payment_attempt_id=attempt.public_id)
                for attempt in attempts
            ]
        )
        numbers = sorted(Receipt.objects.values_list("number", flat=True))
        assert [int(number[-6:]) for number in numbers] == [1, 2, 3, 4, 5, 6]
