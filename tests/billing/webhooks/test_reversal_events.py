"""Refunds and disputes as they come: Stripe's events, late, twice, shuffled, and not ours."""

import random

import pytest

from billing import ledger
from billing.ledger import checks
from billing.models import PaymentReversal, StripeEvent
from billing.purchases import fulfillment
from billing.webhooks import inbox, reversal_events
from tests.billing.money import spend
from tests.billing.shop import at_once, only_receipt


def buy(shop, agent, credits: int = 500):
    attempt = shop.attempt(agent, credits)
    shop.account.pay(attempt.checkout_session_id)
    fulfillment.fulfill(payment_attempt_id=attempt.public_id)
    return only_receipt()


@pytest.mark.django_db
class TestEvents:
    def test_a_refund_is_counted_once_whatever_events_bring_it(self, shop, agent):
        receipt = buy(shop, agent)
        shop.account.refund(receipt.charge_id, 200)

        for _ in range(2):
            shop.tell(*shop.events("refund."), *shop.events("charge.refunded"))

        assert ledger.balances(agent.agent.organization_id).paid == 300
        [reversal] = PaymentReversal.objects.all()
        assert reversal.state == PaymentReversal.State.APPLIED
        assert list(checks.ledger_problems()) == []

    def test_a_refund_that_fails_later_is_undone(self, shop, agent):
        receipt = buy(shop, agent)
        refund = shop.account.refund(receipt.charge_id)
        shop.tell(*shop.events("refund."))
        shop.account.fail_refund(refund["id"])

        shop.tell(*shop.events("refund."), *shop.events("charge.refund."))

        assert ledger.balances(agent.agent.organization_id).paid == 500

    @pytest.mark.parametrize("seed", range(4))
    def test_a_dispute_won_leaves_things_as_before_in_any_order(self, shop, agent, seed):
        receipt = buy(shop, agent)
        spend(agent.agent.organization_id, 120)
        before = ledger.balances(agent.agent.organization_id)
        dispute = shop.account.dispute(receipt.charge_id)
        if seed % 2:
            shop.tell(*shop.events("charge.dispute."))
        shop.account.win(dispute["id"])
        events = shop.events("charge.dispute.") * 2
        random.Random(seed).shuffle(events)

        for event in events:
            shop.tell(event)

        assert ledger.balances(agent.agent.organization_id) == before
        assert list(checks.ledger_problems()) == []

    def test_a_refund_before_its_receipt_waits_and_is_matched(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id)
        [charge] = shop.account.all("charge")
        shop.account.refund(charge["id"])
        shop.tell(*shop.events("refund."))
        assert PaymentReversal.objects.unmatched().count() == 1

        fulfillment.fulfill(payment_attempt_id=attempt.public_id)
        assert reversal_events.match_unmatched() == 1

        assert ledger.balances(agent.agent.organization_id).paid == 0

    def test_one_that_stayed_undelivered_for_weeks_is_fetched(self, shop, agent):
        receipt = buy(shop, agent)
        shop.account.refund(receipt.charge_id, 200)
        for event in shop.events("refund."):
            event["created"] -= 28 * 86_400

        inbox.fetch_undelivered()
        for event in shop.events("refund."):
            inbox.handle(event_id=event["id"])

        assert ledger.balances(agent.agent.organization_id).paid == 300

    def test_of_an_object_that_stripe_does_not_know_is_given_up(self, shop, agent):
        receipt = buy(shop, agent)
        refund = shop.account.refund(receipt.charge_id, 200)
        [event] = shop.events("refund.")
        del shop.account.objects[refund["id"]]

        shop.tell(event)

        stored = shop.outcome(event)
        assert (stored.state, stored.next_attempt_at) == (StripeEvent.State.FAILED, None)
        assert f"Stripe knows no {refund['id']}" in stored.error

    def test_another_installations_charge_is_ignored(self, shop, agent, settings):
        receipt_charge = self._foreign_charge(shop, agent, settings)
        shop.account.refund(receipt_charge)

        shop.tell(*shop.events("refund."))

        assert StripeEvent.objects.get(type="refund.created").state == StripeEvent.State.IGNORED
        assert not PaymentReversal.objects.exists()

    def _foreign_charge(self, shop, agent, settings) -> str:
        ours, settings.INSTALLATION_NAME = settings.INSTALLATION_NAME, "somewhere else"
        attempt = shop.attempt(agent)
        settings.INSTALLATION_NAME = ours
        shop.account.pay(attempt.checkout_session_id)
        [charge] = shop.account.all("charge")
        return charge["id"]


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_ten_events_of_five_refunds_wait_for_each_other(self, shop, agent):
        """Locks are taken in one order: PostgreSQL finds no deadlock, and no event has to retry."""
        receipt = buy(shop, agent)
        for cents in (50, 60, 70, 80, 90):
            shop.account.refund(receipt.charge_id, cents)
        events = shop.events("refund.") + shop.events("charge.refunded")
        for event in events:
            shop.post(event)

        results = at_once(*[lambda e=e: inbox.handle(event_id=e["id"]) for e in events])

        assert results == [None] * 10
        states = StripeEvent.objects.exclude(state="ignored").values_list("state", "attempts")
        assert set(states) == {(StripeEvent.State.HANDLED, 1)}
        assert ledger.balances(agent.agent.organization_id).paid == 150
        assert list(checks.ledger_problems()) == []

    def test_many_workers_with_events_of_one_refund_and_one_dispute(self, shop, agent):
        receipt = buy(shop, agent)
        shop.account.refund(receipt.charge_id, 200)
        shop.account.dispute(receipt.charge_id, 300)
        events = shop.events("refund.") + shop.events("charge.")
        for event in events:
            shop.post(event)

        results = at_once(*[lambda e=e: inbox.handle(event_id=e["id"]) for e in (events * 2)[:10]])

        assert results == [None] * len(results)
        states = set(StripeEvent.objects.exclude(state="ignored").values_list("state", flat=True))
        assert states == {StripeEvent.State.HANDLED}
        assert ledger.balances(agent.agent.organization_id) == (40, 0, 0, 0)
        assert sorted(PaymentReversal.objects.values_list("credits", flat=True)) == [200, 300]
        assert list(checks.ledger_problems()) == []
