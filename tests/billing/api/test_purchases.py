"""Buying over the API: what callers see, and what bad input gets."""

from datetime import timedelta

import pytest

from accounts.models import Agent
from billing import ledger
from billing.ledger import checks
from billing.models import (
    CreditPack,
    PaymentReversal,
    Quote,
    Receipt,
    RefundRequest,
    UnmatchedPayment,
)
from billing.purchases import card_data, fulfillment
from billing.reversals import refund_sending, refunds
from imageskill.dev.standins.faults import Fault
from imageskill.lib import clock
from tests.billing.shop import at_once

QUOTES = "/v1/credit-quotes"
PURCHASES = "/v1/credit-purchases"
SESSIONS = "/v1/credit-purchases/stripe-checkout-sessions"
STATUS = "/v1/credit-purchases/status"


@pytest.fixture(autouse=True)
def _books_stay_in_order(db):
    yield
    assert list(checks.ledger_problems()) == []


def ask(api, agent, **terms):
    return api.post(QUOTES, token=agent.token, json={"idempotency_key": "quote-1"} | terms)


def fake_quote(api, agent, credits=10, key="quote-1"):
    return ask(api, agent, credits=credits, idempotency_key=key).data["quote_id"]


def buy(api, agent, quote_id, key="buy-1", path=PURCHASES):
    return api.post(path, token=agent.token, json={"quote_id": quote_id, "idempotency_key": key})


class TestMethods:
    def test_the_truth_without_stripe(self, api, settings):
        settings.STRIPE_SECRET_KEY = ""
        answer = api.get("/v1/payment-methods")
        assert answer.data["contract_version"] == "image-skill.payment-methods.v1"
        methods = {one["method_id"]: one for one in answer.data["methods"]}
        assert set(methods) == {"fake", "stripe_checkout", "stripe_x402.exact.usdc"}
        assert methods["fake"]["available"]
        assert not methods["fake"]["live_money"]
        stripe = methods["stripe_checkout"]
        assert not stripe["available"]
        assert stripe["unavailable_reason"]
        assert "--payment-method fake" in stripe["recovery"]["quote_command"]
        assert stripe["live_money"]
        assert stripe["requires_browser"]

    def test_the_truth_beside_a_stand_in(self, api, shop):
        answer = api.get("/v1/payment-methods")
        stripe = answer.data["methods"][1]
        assert (stripe["available"], stripe["environment"]) == (True, "stand_in")
        assert stripe["default_pack_id"] == "starter-500"
        assert answer.envelope["warnings"]
        recommended = answer.data["next_actions"]["recommended_quote"]
        assert recommended["method_id"] == "stripe_checkout"
        assert recommended["pack_id"] == "starter-500"
        assert recommended["command_effect"]["no_spend"]

    def test_a_live_key_says_live(self, api, settings):
        settings.STRIPE_SECRET_KEY = "sk_live_" + "x" * 8
        settings.STRIPE_API_BASE_URL = "https://api.stripe.com"
        settings.FAKE_PAYMENTS = False
        answer = api.get("/v1/payment-methods")
        methods = {one["method_id"]: one for one in answer.data["methods"]}
        assert methods["stripe_checkout"]["environment"] == "live"
        assert not methods["fake"]["available"]
        assert answer.envelope["warnings"] == []

    def test_a_bad_token_is_checked_even_where_none_is_needed(self, api):
        assert api.get("/v1/payment-methods", token="isk_r_unknown").status == 401


class TestPacks:
    def test_what_is_on_offer_on_the_first_day(self, api):
        data = api.get("/v1/credit-packs").data
        assert data["default_pack_id"] == "starter-500"
        assert [(one["pack_id"], one["credits"], one["amount_cents"]) for one in data["packs"]] == [
            ("starter-500", 500, 500),
            ("builder-2000", 2000, 2000),
            ("studio-5000", 5000, 5000),
        ]
        assert data["custom_quotes"] == {"supported": True, "min_credits": 1, "max_credits": 5000}
        assert data["packs"][0]["amount_usd"] == 5.0
        bounds = {
            row["payment_method"]: row["min_credits"] for row in data["custom_quotes_by_method"]
        }
        assert (bounds["fake"], bounds["stripe_checkout"]) == (1, 50)

    def test_a_withdrawn_pack_is_gone_and_its_quotes_stay(self, api, shop, agent):
        quote = ask(api, agent, pack_id="builder-2000", payment_method="stripe_checkout").data
        CreditPack.objects.filter(pack_id="builder-2000").update(is_offered=False)
        assert len(api.get("/v1/credit-packs").data["packs"]) == 2
        again = ask(api, agent, pack_id="builder-2000", payment_method="stripe_checkout")
        assert again.data["quote_id"] == quote["quote_id"]
        refused = ask(
            api,
            agent,
            pack_id="builder-2000",
            payment_method="stripe_checkout",
            idempotency_key="q2",
        )
        assert refused.code == "INVALID_ARGUMENTS"


class TestQuotes:
    def test_an_exact_number_on_the_default_rail(self, api, agent):
        answer = ask(api, agent, credits=10)
        data = answer.data
        assert data["quote_id"].startswith("quote_")
        assert (data["state"], data["credits"], data["price_amount_cents"]) == ("created", 10, 10)
        assert (data["accepted_payment_method"], data["currency"]) == ("fake", "USD")
        assert (data["pack_id"], data["pack"], data["live_money"]) == (None, None, False)
        assert data["idempotency_key"] == "quote-1"
        recommended = data["next_actions"]["recommended_buy"]
        assert "fake-purchase" in recommended["command"]
        assert (recommended["human_handoff_required"], recommended["live_money"]) == (False, False)
        assert recommended["purchase_idempotency_key"] == recommended["idempotency_key"]
        assert answer.envelope["warnings"]

    def test_a_pack_by_stripe(self, api, agent, shop):
        data = ask(api, agent, pack_id="starter-500", payment_method="stripe_checkout").data
        assert (data["pack_id"], data["credits"], data["live_money"]) == ("starter-500", 500, True)
        assert data["pack"]["amount_cents"] == 500

    def test_without_a_key_each_call_is_a_new_quote(self, api, agent):
        answers = [
            api.post("/v1/credit-quotes", json={"credits": 10}, token=agent.token).data
            for _ in range(2)
        ]
        assert len({one["quote_id"] for one in answers}) == 2
        assert len({one["idempotency_key"] for one in answers}) == 2

    def test_it_holds_for_half_an_hour(self, api, agent):
        ask(api, agent, credits=10)
        quote = Quote.objects.get()
        assert quote.expires_at - quote.created_at == timedelta(minutes=30)

    def test_same_key_and_terms_same_quote(self, api, agent):
        first, again = ask(api, agent, credits=10).data, ask(api, agent, credits=10).data
        assert (again["quote_id"], again["expires_at"]) == (first["quote_id"], first["expires_at"])
        assert Quote.objects.count() == 1

    @pytest.mark.parametrize(
        "terms",
        [
            {"credits": 11},
            {"pack_id": "starter-500"},
            {"credits": 10, "payment_method": "stripe_checkout"},
        ],
    )
    def test_same_key_and_other_terms_is_a_conflict_with_a_fresh_key(self, api, agent, shop, terms):
        ask(api, agent, credits=10)
        error = ask(api, agent, **terms).error
        assert error["code"] == "CREDIT_QUOTE_CONFLICT"
        command = error["recovery"]["suggested_command"]
        assert "--idempotency-key quote-" in command
        assert "quote-1 " not in command

    def test_a_key_is_the_agents_own(self, api, agent, stranger):
        assert fake_quote(api, agent) != fake_quote(api, stranger)

    @pytest.mark.parametrize(
        "terms",
        [
            {},
            {"credits": 10, "pack_id": "starter-500"},
            {"credits": 0},
            {"credits": -1},
            {"credits": 5001},
            {"credits": 10**30},
            {"credits": 1.5},
            {"credits": "10"},
            {"credits": True},
            {"pack_id": "no-such-pack"},
            {"pack_id": "a b"},
            {"credits": 10, "payment_method": "cash"},
            {"credits": 10, "surprise": 1},
            {"credits": 49, "payment_method": "stripe_checkout"},
            {"credits": 10, "idempotency_key": ""},
            {"credits": 10, "idempotency_key": "x" * 201},
            {"credits": 10, "idempotency_key": "a\u0007b"},
            {"credits": 10, "idempotency_key": 5},
        ],
    )
    def test_bad_terms_are_invalid_and_nothing_is_written(self, api, agent, shop, terms):
        error = ask(api, agent, **terms).error
        assert error["code"] == "INVALID_ARGUMENTS"
        assert not Quote.objects.exists()

    def test_a_known_rail_that_can_not_be_used_is_unavailable(self, api, agent, settings):
        for method in ("stripe_x402.exact.usdc", "stripe_checkout"):
            error = ask(api, agent, credits=100, payment_method=method).error
            assert error["code"] == "PAYMENT_METHOD_UNAVAILABLE"
            assert "--payment-method fake" in error["recovery"]["suggested_command"]

    def test_who_may(self, api, agent):
        assert api.post(QUOTES, json={"credits": 10}).status == 401
        Agent.objects.update(grants=["credits.buy"])
        assert ask(api, agent, credits=10).code == "CAPABILITY_DENIED"


class TestFakePurchase:
    def test_it_grants_and_says_that_no_money_moved(self, api, agent):
        quote_id = fake_quote(api, agent)
        answer = buy(api, agent, quote_id)
        data = answer.data
        assert (data["state"], data["credits_granted"], data["balance_after"]) == (
            "succeeded",
            10,
            10,
        )
        assert data["receipt_id"].startswith("receipt_")
        assert data["credit_event_id"].startswith("credit_event_")
        assert data["receipt_number"].startswith("TEST-")
        assert (data["live_money"], data["environment"]) == (False, "test")
        assert answer.envelope["warnings"]
        agent.agent.refresh_from_db()
        assert agent.agent.claim_state == "payment_backed_unclaimed"

    def test_its_trace_and_the_quote_s_lead_to_the_grant(self, api, agent):
        quoted = ask(api, agent, credits=10)
        bought = buy(api, agent, quoted.data["quote_id"])
        for answer in (quoted, bought):
            trace_id = answer.envelope["trace_id"]
            [event] = api.get(f"/v1/activity/{trace_id}", token=agent.token).data["events"]
            assert event["type"] == "credits.payment_backed_granted"

    def test_a_replay_returns_the_first_result(self, api, agent):
        quote_id = fake_quote(api, agent)
        assert buy(api, agent, quote_id).data == buy(api, agent, quote_id).data
        assert Receipt.objects.count() == 1

    def test_a_replay_works_after_the_quote_has_expired(self, api, agent):
        quote_id = fake_quote(api, agent)
        first = buy(api, agent, quote_id).data
        Quote.objects.update(expires_at=clock.now())
        assert buy(api, agent, quote_id).data == first

    def test_another_key_finds_the_quote_used(self, api, agent):
        quote_id = fake_quote(api, agent)
        buy(api, agent, quote_id)
        assert buy(api, agent, quote_id, key="buy-2").code == "QUOTE_ALREADY_USED"
        assert ledger.balances(agent.agent.organization_id).paid == 10

    def test_a_key_of_another_purchase_is_a_conflict(self, api, agent):
        buy(api, agent, fake_quote(api, agent))
        error = buy(api, agent, fake_quote(api, agent, key="quote-2")).error
        assert error["code"] == "IDEMPOTENCY_CONFLICT"
        assert "--idempotency-key purchase-" in error["recovery"]["suggested_command"]

    def test_what_else_is_refused(self, api, agent, stranger, shop):
        foreign = fake_quote(api, stranger)
        assert buy(api, agent, foreign).code == "NOT_FOUND"
        assert buy(api, agent, "quote_unknown").code == "NOT_FOUND"
        other_rail = ask(
            api, agent, credits=100, payment_method="stripe_checkout", idempotency_key="s"
        ).data["quote_id"]
        mismatch = buy(api, agent, other_rail)
        assert mismatch.code == "PAYMENT_METHOD_MISMATCH"
        ten_by_fake = fake_quote(api, agent, key="quote-3")
        path = "/v1/credit-purchases/stripe-checkout-sessions"
        body = {"quote_id": ten_by_fake, "idempotency_key": "buy-3"}
        command = api.post(path, json=body, token=agent.token).error["recovery"]
        assert "--credits 50 " in command["suggested_command"]
        expired = fake_quote(api, agent)
        Quote.objects.update(expires_at=clock.now())
        assert buy(api, agent, expired).code == "QUOTE_EXPIRED"
        assert not Receipt.objects.exists()

    @pytest.mark.parametrize(("credits", "suggested"), [(10, 50), (80, 80)])
    def test_another_method_s_quote_that_is_suggested_would_be_accepted(
        self, api, agent, shop, credits, suggested
    ):
        error = buy(api, agent, fake_quote(api, agent, credits), path=SESSIONS).error
        assert error["code"] == "PAYMENT_METHOD_MISMATCH"
        command = error["recovery"]["suggested_command"]
        assert f"--credits {suggested} --payment-method stripe_checkout" in command
        terms = {"credits": suggested, "payment_method": "stripe_checkout"}
        assert ask(api, agent, **terms, idempotency_key="again").data["quote_id"]

    def test_a_method_that_is_off_is_not_suggested(self, api, agent, shop, settings):
        quote_id = ask(api, agent, credits=80, payment_method="stripe_checkout").data["quote_id"]
        settings.FAKE_PAYMENTS = False
        error = buy(api, agent, quote_id).error
        assert error["code"] == "PAYMENT_METHOD_MISMATCH"
        command = error["recovery"]["suggested_command"]
        assert f"buy --provider stripe --quote-id {quote_id}" in command

    def test_one_organization_gets_so_much_and_no_more(self, api, agent):
        for number in range(2):
            buy(api, agent, fake_quote(api, agent, 5000, key=f"q{number}"), key=f"b{number}")
        error = buy(api, agent, fake_quote(api, agent, 1, key="q9"), key="b9").error
        assert error["code"] == "CAPABILITY_DENIED"
        assert ledger.balances(agent.agent.organization_id).paid == 10_000

    def test_switched_off(self, api, agent, settings):
        quote_id = fake_quote(api, agent)
        settings.FAKE_PAYMENTS = False
        assert buy(api, agent, quote_id).code == "PAYMENT_METHOD_UNAVAILABLE"

    def test_who_may(self, api, agent):
        quote_id = fake_quote(api, agent)
        Agent.objects.update(grants=["credits.quote"])
        assert buy(api, agent, quote_id).code == "CAPABILITY_DENIED"
        Agent.objects.update(grants=["credits.buy"], suspended_at=clock.now())
        assert buy(api, agent, quote_id).code == "CAPABILITY_DENIED"


@pytest.mark.django_db(transaction=True)
class TestFakePurchaseAtOnce:
    def test_one_quote_bought_many_times_at_once_grants_once(self, api, agent):
        quote_id = fake_quote(api, agent)
        calls = [lambda n=n: buy(api, agent, quote_id, key=f"k{n % 2}") for n in range(8)]
        answers = at_once(*calls)
        assert {answer.code for answer in answers} == {None, "QUOTE_ALREADY_USED"}
        assert ledger.balances(agent.agent.organization_id).paid == 10

    def test_the_cap_holds_at_once(self, api, agent, settings):
        settings.FAKE_CREDITS_PER_ORGANIZATION = 30
        ids = [fake_quote(api, agent, 10, key=f"q{n}") for n in range(6)]
        at_once(*[lambda n=n, i=i: buy(api, agent, i, key=f"b{n}") for n, i in enumerate(ids)])
        assert ledger.balances(agent.agent.organization_id).paid == 30

    def test_one_key_for_two_quotes_at_once_buys_one(self, api, agent):
        ids = [fake_quote(api, agent, 10, key=f"q{n}") for n in range(2)]
        at_once(*[lambda i=i: buy(api, agent, i, key="same") for i in ids])
        assert Receipt.objects.count() == 1

    def test_one_key_quoted_at_once_is_one_quote(self, api, agent):
        answers = at_once(*[lambda: ask(api, agent, credits=10)] * 6)
        assert len({answer.data["quote_id"] for answer in answers}) == 1


class TestCheckoutSession:
    @pytest.fixture
    def quote_id(self, api, agent, shop):
        return ask(api, agent, pack_id="starter-500", payment_method="stripe_checkout").data[
            "quote_id"
        ]

    def test_it_hands_over_a_link(self, api, agent, quote_id, settings):
        answer = buy(api, agent, quote_id, path=SESSIONS)
        data = answer.data
        assert data["state"] == "action_required"
        assert data["payment_attempt_id"].startswith("payatt_")
        assert data["checkout_session_id"].startswith("cs_")
        link = f"{settings.PUBLIC_API_URL}/pay/{data['payment_attempt_id']}"
        assert data["checkout_handoff_url"] == link
        assert "#fid" in data["checkout_url"]
        assert data["checkout_compact_url"] == data["checkout_url"]
        assert (data["credits"], data["amount_cents"], data["live_money"]) == (500, 500, True)
        assert (data["provider"], data["environment"]) == ("stripe", "stand_in")
        assert data["next"]["human_action"] == "open_checkout_url"
        assert data["next"]["fallback_checkout_url"] == data["checkout_url"]
        assert answer.envelope["warnings"]
        assert ledger.balances(agent.agent.organization_id).paid == 0

    def test_stripe_down_is_retryable(self, api, agent, quote_id, shop):
        shop.stand_in.breakdown.times = 1
        error = buy(api, agent, quote_id, path=SESSIONS)
        # The SDK's own retry meets the same stored failure; ours looks for the session.
        assert error.code in {None, "PAYMENT_PROVIDER_FAILURE"}
        assert buy(api, agent, quote_id, path=SESSIONS).data["state"] == "action_required"

    def test_unconfigured(self, api, agent, quote_id, settings):
        settings.STRIPE_SECRET_KEY = ""
        assert buy(api, agent, quote_id, path=SESSIONS).code == "PAYMENT_METHOD_UNAVAILABLE"

    def test_a_deposit_by_x402_is_refused_with_a_way_to_pay(self, api, agent):
        path = "/v1/credit-purchases/stripe-x402-deposits"
        answer = buy(api, agent, "quote_any", path=path)
        assert (answer.status, answer.code) == (409, "PAYMENT_METHOD_UNAVAILABLE")
        assert "credits quote" in answer.error["recovery"]["suggested_command"]


class TestStatus:
    @pytest.fixture
    def session(self, api, agent, shop):
        quote_id = ask(api, agent, pack_id="starter-500", payment_method="stripe_checkout").data[
            "quote_id"
        ]
        return buy(api, agent, quote_id, path=SESSIONS).data

    def show(self, api, agent, **reference):
        [(name, value)] = reference.items()
        return api.get(f"{STATUS}?{name}={value}", token=agent.token)

    def test_while_it_is_open(self, api, agent, session):
        data = self.show(api, agent, payment_attempt_id=session["payment_attempt_id"]).data
        assert data["state"] == "action_required"
        assert data["payment_attempt"]["attempt_status"] == "requires_action"
        assert data["payment_attempt"]["checkout_url"] == session["checkout_url"]
        assert (data["receipt"], data["credit_event"]) == (None, None)
        assert data["next"]["retry_after_seconds"] == 10
        assert data["next"]["human_action"] == "open_checkout_url"
        assert data["quote"]["pack_id"] == "starter-500"

    def test_each_of_the_four_references(self, api, agent, session, shop):
        shop.account.pay(session["checkout_session_id"])
        fulfillment.fulfill(payment_attempt_id=session["payment_attempt_id"])
        receipt = Receipt.objects.get()
        references = {
            "quote_id": session["quote_id"],
            "payment_attempt_id": session["payment_attempt_id"],
            "checkout_session_id": session["checkout_session_id"],
            "receipt_id": receipt.public_id,
        }
        for name, value in references.items():
            data = self.show(api, agent, **{name: value}).data
            assert data["state"] == "succeeded"
            assert data["receipt"]["receipt_id"] == receipt.public_id
            assert data["credit_event"]["credit_event_id"] == receipt.credit_event_id
            assert data["limits"]["payment_backed_remaining_credits"] == 500
            assert data["next_actions"] == data["quote"]["next_actions"] == {}
        assert "ch_" not in str(data)
        assert "pi_" not in str(data)

    def test_each_state(self, api, agent, session, shop):
        key = session["checkout_session_id"]
        shop.account.pay_later(key)
        fulfillment.fulfill(payment_attempt_id=session["payment_attempt_id"])
        assert self.show(api, agent, checkout_session_id=key).data["state"] == "processing"
        shop.account.fail(key)
        fulfillment.fulfill(payment_attempt_id=session["payment_attempt_id"])
        assert self.show(api, agent, checkout_session_id=key).data["state"] == "failed"

    def test_what_was_taken_back(self, api, agent, session, shop):
        key = session["checkout_session_id"]
        shop.account.pay(key)
        fulfillment.fulfill(payment_attempt_id=session["payment_attempt_id"])
        charge_id = Receipt.objects.get().charge_id

        def state():
            shop.tell(*shop.events("charge."))
            data = self.show(api, agent, checkout_session_id=key).data
            return data["state"], data["receipt"]["refunded_credits"]

        shop.account.refund(charge_id, 200)
        assert state() == ("partially_refunded", 200)
        dispute_id = shop.account.dispute(charge_id, 300)["id"]
        assert state() == ("disputed", 200)
        shop.account.win(dispute_id)
        assert state() == ("partially_refunded", 200)
        shop.account.objects[dispute_id]["is_charge_refundable"] = True
        shop.account.refund(charge_id)
        assert state() == ("refunded", 500)

    @pytest.fixture
    def receipt(self, session, shop):
        shop.account.pay(session["checkout_session_id"])
        fulfillment.fulfill(payment_attempt_id=session["payment_attempt_id"])
        return Receipt.objects.get()

    def test_a_refund_under_way_in_its_true_state(self, api, agent, shop, receipt):
        def told():
            shop.tell(*shop.events("refund."))
            data = self.show(api, agent, receipt_id=receipt.public_id).data
            return data["state"], [(one["status"], one["failure"]) for one in data["refunds"]]

        assert told() == ("succeeded", [])
        first = shop.account.refund(receipt.charge_id, 200, status="pending")
        assert told() == ("succeeded", [("pending", None)])
        shop.account.ask_buyer(first["id"])
        assert told() == ("succeeded", [("requires_action", None)])
        shop.account.cancel_refund(first["id"])
        assert told() == ("succeeded", [("failed", "it was canceled")])
        second = shop.account.refund(receipt.charge_id, 300)
        assert told() == (
            "partially_refunded",
            [("failed", "it was canceled"), ("succeeded", None)],
        )
        shop.account.fail_refund(second["id"], reason="declined")
        assert told() == (
            "succeeded",
            [("failed", "it was canceled"), ("failed", "the buyer's bank declined it")],
        )

    def test_a_requested_refund_from_its_request_to_its_end(
        self, api, agent, shop, receipt, sponsor
    ):
        def told():
            data = self.show(api, agent, receipt_id=receipt.public_id).data
            [one] = data["refunds"]
            return one["status"], one["payment_reversal_id"], one["amount_cents"]

        asked = refunds.request_as_sponsor(receipt=receipt, reason="unused", user=sponsor)
        assert told() == ("pending_approval", None, 500)
        RefundRequest.objects.update(state="approved", needs_second_person=False)
        assert told() == ("approved", None, 500)
        shop.stand_in.faults.add(Fault("/v1/refunds", "POST", times=2, cut="before"))
        refund_sending.send(request_id=asked.pk)
        assert told() == ("sent", None, 500)
        RefundRequest.objects.update(sent_at=clock.now() - timedelta(hours=1))
        refund_sending.send(request_id=asked.pk)
        reversal = PaymentReversal.objects.get()
        assert told() == ("succeeded", reversal.public_id, 500)

    def test_what_staff_have_not_approved_is_not_told(self, api, agent, receipt, sponsor):
        asked = refunds.request_as_sponsor(receipt=receipt, reason="unused", user=sponsor)
        RefundRequest.objects.filter(pk=asked.pk).update(is_from_sponsor=False)
        assert self.show(api, agent, receipt_id=receipt.public_id).data["refunds"] == []

    def test_a_payment_that_granted_nothing_and_was_returned(self, api, agent, session, shop):
        attempt_id = session["payment_attempt_id"]
        shop.account.pay(session["checkout_session_id"], amount_total=400)
        fulfillment.fulfill(payment_attempt_id=attempt_id)
        assert self.show(api, agent, payment_attempt_id=attempt_id).data["state"] == "processing"

        shop.account.refund(UnmatchedPayment.objects.get().charge_id)
        shop.tell(*shop.events("refund."))

        data = self.show(api, agent, payment_attempt_id=attempt_id).data
        assert (data["state"], [one["status"] for one in data["refunds"]]) == (
            "refunded",
            ["succeeded"],
        )
        assert "credits quote" in data["next"]["suggested_command"]

    def test_a_quote_without_attempt(self, api, agent):
        quote = ask(api, agent, credits=10).data
        quote_id = quote["quote_id"]
        data = self.show(api, agent, quote_id=quote_id).data
        assert data["state"] == "created"
        assert data["next_actions"] == quote["next_actions"]
        command = data["next_actions"]["recommended_buy"]["command"]
        assert f"--quote-id {quote_id} --idempotency-key buy-{quote_id}" in command
        Quote.objects.update(expires_at=clock.now())
        assert self.show(api, agent, quote_id=quote_id).data["state"] == "expired"

    def test_none_or_several_references_are_invalid(self, api, agent):
        for query in ("", "?quote_id=quote_1&receipt_id=receipt_1"):
            assert api.get(STATUS + query, token=agent.token).code == "INVALID_ARGUMENTS"

    def test_somebody_elses_and_unknown_ones_look_the_same(self, api, agent, stranger, session):
        foreign = self.show(api, stranger, quote_id=session["quote_id"])
        unknown = self.show(api, stranger, quote_id="quote_unknown")
        assert foreign.code == unknown.code == "NOT_FOUND"
        assert foreign.error["message"] == unknown.error["message"]


class TestScreening:
    CARD = "4242424242424242"

    @pytest.mark.parametrize("path", [QUOTES, PURCHASES, SESSIONS])
    def test_before_anything_else_even_the_token(self, api, path):
        answer = api.post(path, json={"card_number": "1"})
        assert (answer.status, answer.code) == (422, "PAYMENT_CREDENTIAL_REJECTED")
        assert answer.exit_code == 2

    @pytest.mark.parametrize(
        "path", [f"{STATUS}?quote_id=", "/v1/payment-methods?x=", "/v1/credit-packs?x="]
    )
    def test_in_a_query(self, api, path):
        assert api.get(path + self.CARD).code == "PAYMENT_CREDENTIAL_REJECTED"

    @pytest.mark.parametrize(
        "words",
        [
            ["credits", "buy", "--card-number", "1"],
            ["image-skill", "--json", "credits", "quote", "--credits", "1", "--cvc=1"],
            ["credits", "status", "--quote-id", CARD],
        ],
    )
    def test_in_a_command(self, api, words):
        assert api.post("/v1/cli", json={"argv": words}).code == "PAYMENT_CREDENTIAL_REJECTED"

    def test_other_commands_are_not_screened(self, api):
        answer = api.post("/v1/cli", json={"argv": ["models", "show", self.CARD]})
        assert answer.code == "NOT_FOUND"

    def test_in_a_header(self, api, agent):
        answer = api.post(QUOTES, token=agent.token, json={"credits": 10}, **{"X-PAYMENT": "abc"})
        assert answer.code == "PAYMENT_CREDENTIAL_REJECTED"

    def test_in_a_body_that_is_no_json(self, api):
        answer = api.post(QUOTES, raw=f"card={self.CARD}".encode())
        assert answer.code == "PAYMENT_CREDENTIAL_REJECTED"

    def test_the_value_is_neither_answered_nor_logged(self, api, agent, capfd, caplog):
        answer = ask(api, agent, credits=10, idempotency_key=f"key {self.CARD}")
        assert answer.code == card_data.PaymentCredentialRejected.code
        out, err = capfd.readouterr()
        assert self.CARD not in str(answer.envelope) + out + err + caplog.text
