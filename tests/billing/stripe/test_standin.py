"""The stand-in: as strict as Stripe where the product could go wrong, and plain for people."""

import re
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest
from django.db import transaction

from billing.stripe import gateway, ownership
from imageskill.dev.standins.faults import Fault
from imageskill.dev.standins.stripe.objects import InvalidObjectState
from imageskill.dev.standins.stripe.pages import NOTICE
from imageskill.lib import clock


def call(shop, method, path, key="sk_test_x", form=None, **headers):
    request = urllib.request.Request(
        shop.base_url + path,
        data=None if form is None else urllib.parse.urlencode(form).encode(),
        method=method,
        headers={"Authorization": f"Bearer {key}", **headers},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


@pytest.fixture
def session(shop, agent):
    return shop.account.get(shop.attempt(agent).checkout_session_id)


@pytest.mark.django_db
class TestApi:
    def test_a_live_key_is_refused(self, shop):
        assert call(shop, "GET", "/v1/events", key="sk_live_x")[0] == 401
        assert call(shop, "GET", "/v1/events", key="rk_live_x")[0] == 401

    def test_an_unknown_parameter_is_refused(self, shop):
        status, body, _ = call(shop, "POST", "/v1/checkout/sessions", form={"amount": "5"})
        assert status == 400
        assert "parameter_unknown" in body

    def test_a_key_for_other_parameters_is_refused(self, shop, session):
        form = {"charge": "ch_unknown"}
        key = {"Idempotency-Key": "payatt_x"}
        shop.stand_in._answers["payatt_x"] = (b"other", None)
        status, body, _ = call(shop, "POST", "/v1/refunds", form=form, **key)
        assert (status, "idempotency_error" in body) == (400, True)

    def test_everything_is_in_test_mode(self, shop, session):
        shop.account.pay(session["id"])
        modes = {one["livemode"] for one in shop.account.objects.values() if "livemode" in one}
        assert modes | {event["livemode"] for event in shop.account.events} == {False}


@pytest.mark.django_db
class TestGateway:
    """Each call of the gateway against the stand-in, read back."""

    def paid(self, shop, session):
        shop.account.pay(session["id"])
        return gateway.retrieve_session(session["id"])

    def test_a_paid_session_names_its_charge(self, shop, session):
        found = self.paid(shop, session)
        assert (found.is_paid, found.status) == (True, "complete")
        charge = gateway.retrieve_charge(found.charge_id)
        assert (charge.amount_cents, charge.currency) == (500, "USD")
        ownership.check_metadata(charge.metadata)

    def test_refunds(self, shop, session):
        charge_id = self.paid(shop, session).charge_id
        for key in ("one", "one", "two"):
            gateway.create_refund(
                charge_id=charge_id, amount_cents=200, idempotency_key=key, references={"a": "b"}
            )
        refunds = gateway.list_refunds(charge_id)
        assert [refund.amount_cents for refund in refunds] == [200, 200]
        assert refunds[0].metadata["a"] == "b"
        with pytest.raises(gateway.PaymentProviderFailure) as caught:
            gateway.create_refund(charge_id=charge_id, amount_cents=200, idempotency_key="three")
        assert caught.value.is_refusal

    def test_disputes(self, shop, session):
        charge_id = self.paid(shop, session).charge_id
        dispute_id = shop.account.dispute(charge_id)["id"]
        with pytest.raises(InvalidObjectState):
            shop.account.refund(charge_id)
        sent = gateway.update_dispute(
            dispute_id=dispute_id, evidence={"uncategorized_text": "It was used."}, submit=True
        )
        assert sent.status == "under_review"
        shop.account.win(dispute_id)
        won = gateway.retrieve_dispute(dispute_id)
        assert won.status == "won"
        assert [moved.amount_cents for moved in won.movements] == [-500, 500]

    def test_balance_transactions_of_a_time(self, shop, session):
        charge_id = self.paid(shop, session).charge_id
        shop.account.refund(charge_id, 100)
        now = clock.now()
        found = list(
            gateway.list_balance_transactions(
                since=now.replace(year=now.year - 1), until=now.replace(year=now.year + 1)
            )
        )
        assert [(one.type, one.amount_cents) for one in found] == [
            ("refund", -100),
            ("charge", 500),
        ]

    def test_nothing_is_called_inside_a_transaction(self, shop, session):
        with transaction.atomic(), pytest.raises(RuntimeError):
            gateway.retrieve_session(session["id"])

    def test_a_slow_stripe_is_a_failure_that_can_be_retried(self, shop, session, settings):
        settings.STRIPE_TIMEOUT_S = 1
        shop.stand_in.faults.add(Fault(times=2, delay_s=1.5))
        with pytest.raises(gateway.PaymentProviderFailure) as caught:
            gateway.retrieve_session(session["id"])
        assert caught.value.retryable
        assert not caught.value.is_refusal


@pytest.mark.django_db
class TestPages:
    def test_every_page_says_that_no_money_moves(self, shop, session):
        pages = [f"/c/pay/{session['id']}", "/dashboard", "/c/pay/cs_unknown"]
        for page in pages:
            assert NOTICE in call(shop, "GET", page)[1]

    @pytest.mark.parametrize(
        ("action", "status", "payment_status"),
        [
            ("pay", "complete", "paid"),
            ("promotion", "complete", "paid"),
            ("later", "complete", "unpaid"),
            ("decline", "open", "unpaid"),
            ("cancel", "open", "unpaid"),
        ],
    )
    def test_each_button_does_what_it_says(self, shop, session, action, status, payment_status):
        page = call(shop, "GET", f"/c/pay/{session['id']}")[1]
        target = f"/c/pay/{session['id']}/{action}"
        assert f"action='{target}'" in page
        shop.account.objects[session["id"]].update(
            success_url=f"{shop.base_url}/dashboard", cancel_url=f"{shop.base_url}/dashboard"
        )
        call(shop, "POST", target, form={})
        found = shop.account.get(session["id"])
        assert (found["status"], found["payment_status"]) == (status, payment_status)

    def test_the_dashboard_offers_refund_and_dispute(self, shop, session):
        shop.account.pay(session["id"])
        page = call(shop, "GET", "/dashboard")[1]
        [refund] = re.findall(r"action='(/dashboard/refund/ch_\w+)'", page)
        call(shop, "POST", refund, form={"amount": "120"})
        assert shop.account.all("refund")[0]["amount"] == 120
        [dispute] = re.findall(r"action='(/dashboard/dispute/ch_\w+)'", page)
        call(shop, "POST", dispute, form={"amount": ""})
        assert shop.account.all("dispute")[0]["amount"] == 500

    def test_webhooks_can_be_held_back_and_reversed(self, shop, session):
        call(shop, "POST", "/dashboard/deliveries", form={"mode": "hold"})
        shop.account.pay(session["id"])
        sent = []
        shop.account.deliveries._put = sent.append
        call(shop, "POST", "/dashboard/deliveries", form={"mode": "release_reversed"})
        made = [event["id"] for event in shop.account.events]
        assert [event["id"] for event in sent] == made[::-1]


class TestAtOnce:
    def test_two_calls_with_one_key_at_once_make_one_session(self, shop, db, agent):
        quote = shop.quote(agent)
        assert quote.public_id
        form = {
            "mode": "payment",
            "line_items[0][price_data][currency]": "usd",
            "line_items[0][price_data][unit_amount]": "500",
            "line_items[0][price_data][product_data][name]": "Starter",
            "line_items[0][quantity]": "1",
        }
        answers = []

        def create():
            answers.append(
                call(shop, "POST", "/v1/checkout/sessions", form=form, **{"Idempotency-Key": "one"})
            )

        threads = [threading.Thread(target=create) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {status for status, _, _ in answers} <= {200, 409}
        assert len(shop.account.all("checkout.session")) == 1
