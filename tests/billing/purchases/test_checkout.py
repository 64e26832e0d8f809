"""Opening a Checkout session: one payable session for one quote, whatever happens to the call."""

import contextlib
from datetime import timedelta

import pytest

from accounts.models import ActivityEvent
from billing import ledger
from billing.models import AttemptStatus, PaymentAttempt, Quote, Receipt
from billing.purchases import buyers, checkout, fulfillment, quotes
from billing.purchases.payment_methods import PaymentMethodUnavailable
from billing.stripe.gateway import PaymentProviderFailure
from imageskill.dev.standins.faults import Fault
from imageskill.lib import clock
from imageskill.lib.errors import IdempotencyConflict, InvalidArguments, NotFound, RateLimited
from tests.billing.shop import at_once

SESSIONS = "/v1/checkout/sessions"


def open_session(buyer, quote, key="buy-1"):
    return checkout.open_session(
        buyer=buyers.agent_buyer(buyer.agent), quote_id=quote.public_id, idempotency_key=key
    )


def payable(shop):
    return [one for one in shop.account.all("checkout.session") if one["status"] == "open"]


@pytest.mark.django_db
class TestOpenSession:
    def test_stripe_gets_the_quote_and_our_ids(self, shop, agent):
        quote = shop.quote(agent)
        attempt = open_session(agent, quote)
        [made] = payable(shop)
        assert made["amount_total"] == 500
        assert made["currency"] == "usd"
        assert made["client_reference_id"] == attempt.public_id
        assert made["metadata"]["payment_attempt_id"] == attempt.public_id
        assert made["metadata"]["imageskill_installation"]
        [request] = [one for one in shop.stand_in.requests if one.method == "POST"]
        assert request.headers["idempotency-key"] == attempt.public_id
        assert request.headers["stripe-version"] == "2026-10-28.endive"

    def test_the_url_keeps_its_fragment(self, shop, agent):
        attempt = open_session(agent, shop.quote(agent))
        assert "#fid" in attempt.checkout_url
        assert attempt.status == AttemptStatus.OPEN
        assert attempt.environment == "stand_in"

    def test_it_grants_nothing_and_tells_of_itself_once(self, shop, agent):
        quote = shop.quote(agent)
        attempt = open_session(agent, quote)
        open_session(agent, quote)
        assert not Receipt.objects.exists()
        [event] = ActivityEvent.objects.filter(type="payment.checkout_session.created")
        assert event.links == {
            "quote_id": quote.public_id,
            "payment_attempt_id": attempt.public_id,
            "checkout_session_id": attempt.checkout_session_id,
        }

    def test_same_key_and_another_key_find_the_same_session(self, shop, agent):
        quote = shop.quote(agent)
        first = open_session(agent, quote)
        assert open_session(agent, quote).pk == first.pk
        assert open_session(agent, quote, key="another").pk == first.pk
        assert len(payable(shop)) == 1

    def test_open_ones_are_bounded_for_an_organization(self, shop, agent, settings):
        settings.OPEN_CHECKOUTS_PER_ORGANIZATION = 2
        quotes_ = [shop.quote(agent, key=f"quote-{n}") for n in range(3)]
        first = open_session(agent, quotes_[0], key="buy-0")
        open_session(agent, quotes_[1], key="buy-1")

        with pytest.raises(RateLimited, match="Pay one of them"):
            open_session(agent, quotes_[2], key="buy-2")
        assert open_session(agent, quotes_[0], key="buy-0").pk == first.pk
        assert len(payable(shop)) == 2

    def test_a_key_of_another_quote_is_refused(self, shop, agent):
        open_session(agent, shop.quote(agent))
        other = shop.quote(agent, key="quote-2")
        with pytest.raises(IdempotencyConflict) as caught:
            open_session(agent, other)
        assert other.public_id in caught.value.recovery["suggested_command"]
        assert len(payable(shop)) == 1

    @pytest.mark.parametrize("key", [None, "", "  ", "x" * 201, "a\nb", "a\x00b"])
    def test_a_bad_key_is_refused(self, shop, agent, key):
        quote = shop.quote(agent)
        with pytest.raises(InvalidArguments):
            open_session(agent, quote, key=key)
        assert not PaymentAttempt.objects.exists()

    def test_somebody_elses_quote_is_not_found(self, shop, agent, stranger):
        quote = shop.quote(stranger)
        with pytest.raises(NotFound):
            open_session(agent, quote)

    def test_an_expired_quote_is_refused_with_a_way_on(self, shop, agent):
        quote = shop.quote(agent)
        Quote.objects.update(expires_at=clock.now() - timedelta(seconds=1))
        with pytest.raises(quotes.QuoteExpired) as caught:
            open_session(agent, quote)
        assert "--credits 500" in caught.value.recovery["suggested_command"]
        assert not payable(shop)

    def test_a_quote_of_another_rail_is_refused(self, shop, agent):
        quote = quotes.create(
            buyer=buyers.agent_buyer(agent.agent),
            payment_method="fake",
            credits=10,
            idempotency_key="fake-quote",
        )
        with pytest.raises(quotes.PaymentMethodMismatch):
            open_session(agent, quote)

    def test_a_paid_quote_is_refused(self, shop, agent):
        quote = shop.quote(agent)
        attempt = open_session(agent, quote)
        shop.account.pay(attempt.checkout_session_id)
        fulfillment.fulfill(payment_attempt_id=attempt.public_id)
        with pytest.raises(quotes.QuoteAlreadyUsed):
            open_session(agent, quote, key="another")

    def test_without_a_key_of_stripe_the_rail_is_unavailable(self, shop, agent, settings):
        quote = shop.quote(agent)
        settings.STRIPE_SECRET_KEY = ""
        with pytest.raises(PaymentMethodUnavailable) as caught:
            open_session(agent, quote)
        assert "--payment-method fake" in caught.value.recovery["suggested_command"]

    def test_after_the_session_expired_another_may_be_opened(self, shop, agent):
        quote = shop.quote(agent)
        first = open_session(agent, quote)
        shop.account.close_session(first.checkout_session_id)
        fulfillment.fulfill(payment_attempt_id=first.public_id)
        second = open_session(agent, quote, key="buy-2")
        assert second.pk != first.pk
        assert len(payable(shop)) == 1


@pytest.mark.django_db
class TestStripeInTrouble:
    """Stripe times out or answers 500 on session create, and the client retries."""

    def retry(self, agent, quote, times=4):
        for _ in range(times):
            with contextlib.suppress(PaymentProviderFailure):
                return open_session(agent, quote)
        raise AssertionError("no session after all retries")

    def test_cut_off_after_the_session_was_made(self, shop, agent):
        quote = shop.quote(agent)
        shop.stand_in.faults.add(Fault(path=SESSIONS, method="POST", times=1, cut="after"))
        attempt = self.retry(agent, quote)
        assert attempt.status == AttemptStatus.OPEN
        assert len(payable(shop)) == 1

    def test_timeouts_longer_than_all_retries_of_one_call(self, shop, agent, settings):
        settings.STRIPE_TIMEOUT_S = 1
        quote = shop.quote(agent)
        shop.stand_in.faults.add(Fault(path=SESSIONS, method="POST", times=2, delay_s=1.5))
        with pytest.raises(PaymentProviderFailure):
            open_session(agent, quote)
        assert self.retry(agent, quote).status == AttemptStatus.OPEN
        assert len(payable(shop)) == 1

    @pytest.mark.parametrize("is_after", [False, True])
    def test_a_500_that_stripe_repeats_under_its_key(self, shop, agent, is_after):
        shop.stand_in.breakdown.times = 1
        shop.stand_in.breakdown.is_after = is_after
        attempt = self.retry(agent, shop.quote(agent))
        [session] = payable(shop)
        assert session["id"] == attempt.checkout_session_id
        assert PaymentAttempt.objects.count() == 1

    def test_a_refusal_ends_the_attempt(self, shop, agent):
        quote = shop.quote(agent)
        refusal = {"error": {"type": "invalid_request_error", "code": "amount_too_small"}}
        shop.stand_in.faults.add(
            Fault(path=SESSIONS, method="POST", times=1, status=400, body=refusal)
        )
        with pytest.raises(PaymentProviderFailure):
            open_session(agent, quote)
        [attempt] = PaymentAttempt.objects.all()
        assert (attempt.status, attempt.problem) == (AttemptStatus.FAILED, "amount_too_small")
        assert open_session(agent, quote, key="buy-2").status == AttemptStatus.OPEN

    def test_a_refused_key_leaves_the_attempt_to_be_tried_again(self, shop, agent):
        quote = shop.quote(agent)
        refusal = {"error": {"type": "authentication_error"}}
        shop.stand_in.faults.add(
            Fault(path=SESSIONS, method="POST", times=1, status=401, body=refusal)
        )
        with pytest.raises(PaymentProviderFailure):
            open_session(agent, quote)
        assert open_session(agent, quote).status == AttemptStatus.OPEN

    def test_nobody_retries_and_the_session_was_made(self, shop, agent):
        quote = shop.quote(agent)
        shop.stand_in.faults.add(Fault(path=SESSIONS, method="POST", times=2, cut="after"))
        with pytest.raises(PaymentProviderFailure):
            open_session(agent, quote)
        PaymentAttempt.objects.update(next_check_at=clock.now())
        assert fulfillment.sweep() == 1
        [attempt] = PaymentAttempt.objects.all()
        assert attempt.checkout_session_id == payable(shop)[0]["id"]

    def test_nobody_retries_and_no_session_was_made(self, shop, agent):
        quote = shop.quote(agent)
        shop.stand_in.faults.add(Fault(path=SESSIONS, method="POST", times=2, cut="before"))
        with pytest.raises(PaymentProviderFailure):
            open_session(agent, quote)
        past = clock.now() - timedelta(minutes=1)
        PaymentAttempt.objects.update(next_check_at=past, session_expires_at=past)
        ended = clock.now() + timedelta(hours=1)
        with clock.at(ended):
            fulfillment.sweep()
        attempt = PaymentAttempt.objects.get()
        assert (attempt.status, attempt.updated_at) == (AttemptStatus.EXPIRED, ended)


@pytest.mark.django_db
class TestSponsor:
    def test_a_sponsor_buys_for_an_organization_by_the_same_flow(self, shop, agent, sponsor):
        buyer = buyers.sponsor_buyer(sponsor, organization_id=agent.organization.pk)
        terms = {"payment_method": "stripe_checkout", "pack_id": "starter-500"}
        quote = quotes.create(buyer=buyer, idempotency_key="k", **terms)
        assert quotes.create(buyer=buyer, idempotency_key="k", **terms).pk == quote.pk
        attempt = checkout.open_session(buyer=buyer, quote_id=quote.public_id, idempotency_key="k")
        shop.account.pay(attempt.checkout_session_id)
        fulfillment.fulfill(payment_attempt_id=attempt.public_id)
        receipt = Receipt.objects.get()
        assert (receipt.agent_id, receipt.organization_id) == (None, agent.organization.pk)
        assert ledger.balances(agent.organization.pk).paid == 500

    def test_an_agents_key_and_a_sponsors_do_not_meet(self, shop, agent, sponsor):
        buyer = buyers.sponsor_buyer(sponsor, organization_id=agent.organization.pk)
        own = shop.quote(agent, key="same")
        other = quotes.create(
            buyer=buyer, payment_method="stripe_checkout", credits=60, idempotency_key="same"
        )
        assert own.pk != other.pk


@pytest.mark.django_db
class TestCancel:
    def test_a_canceled_session_can_not_be_paid(self, shop, agent):
        attempt = shop.attempt(agent)
        canceled = fulfillment.cancel(payment_attempt_id=attempt.public_id)
        assert canceled.status == AttemptStatus.CANCELED
        assert not payable(shop)

    def test_a_faster_buyer_gets_the_credits(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id)
        canceled = fulfillment.cancel(payment_attempt_id=attempt.public_id)
        assert canceled.status == AttemptStatus.SUCCEEDED
        assert Receipt.objects.get().credits == 500


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_many_callers_open_one_session(self, shop, agent):
        quote = shop.quote(agent)
        calls = [lambda key=f"buy-{n % 3}": open_session(agent, quote, key=key) for n in range(9)]
        found = at_once(*calls)
        assert {attempt.pk for attempt in found} == {PaymentAttempt.objects.get().pk}
        assert len(shop.account.all("checkout.session")) == 1

    def test_many_callers_after_a_500_that_stripe_repeats(self, shop, agent):
        quote = shop.quote(agent)
        shop.stand_in.breakdown.times = 1
        shop.stand_in.breakdown.is_after = True
        for _ in range(3):
            at_once(*[lambda: open_session(agent, quote)] * 4)
        [session] = payable(shop)
        assert PaymentAttempt.objects.get().checkout_session_id == session["id"]

    def test_one_key_for_two_quotes_at_once_opens_one(self, shop, agent):
        first, second = shop.quote(agent), shop.quote(agent, key="quote-2")
        at_once(lambda: open_session(agent, first), lambda: open_session(agent, second))
        assert PaymentAttempt.objects.count() == 1
        assert len(payable(shop)) == 1
