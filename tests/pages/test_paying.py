"""A sponsor pays on Stripe's page, and asks for what is unused back."""

import html
import re

import pytest
from django.urls import reverse

from accounts.models import Alert, User
from billing.models import PaymentAttempt, Receipt, RefundRequest
from tests.billing.shop import Shop, shop
from tests.cast import Signed
from tests.pages.conftest import LOOKS, Home

__all__ = ["shop"]

pytestmark = pytest.mark.django_db(transaction=True)


def _order(looking: object, agent: Signed) -> PaymentAttempt:
    url = reverse("credits", args=[agent.organization.public_id])
    [key] = re.findall(r'name="idempotency_key" value="([^"]+)"', looking.get(url).text)  # type: ignore[attr-defined]
    answer = looking.post(url + "/buy", {"pack": "starter-500", "idempotency_key": key})  # type: ignore[attr-defined]
    attempt = PaymentAttempt.objects.latest("id")
    assert answer.headers["Location"] == reverse("order", args=[attempt.public_id])
    return attempt


def _paid(shop: Shop, attempt: PaymentAttempt) -> Receipt:
    shop.account.pay(attempt.checkout_session_id)
    shop.tell()
    return Receipt.objects.get(attempt=attempt)


class TestAnOrder:
    def test_is_shown_before_the_buyer_leaves_and_after_it_is_paid(
        self, agent: Signed, home: Home, sponsor: User, shop: Shop, looking_as: LOOKS
    ) -> None:
        client = looking_as(sponsor)
        attempt = _order(client, agent)
        page = reverse("order", args=[attempt.public_id])
        assert "Pay $5.00 with Stripe" in client.get(page).text
        to_stripe = client.get(reverse("pay", args=[attempt.public_id]))
        assert to_stripe.status_code == 303
        assert "#" in to_stripe.headers["Location"]

        receipt = _paid(shop, attempt)

        assert reverse("receipt", args=[receipt.public_id]) in client.get(page).text
        assert Alert.objects.filter(kind="purchase", subject=receipt.public_id).exists()

    def test_is_nobody_elses_to_see(
        self,
        agent: Signed,
        home: Home,
        sponsor: User,
        other_sponsor: User,
        shop: Shop,
        looking_as: LOOKS,
    ) -> None:
        attempt = _order(looking_as(sponsor), agent)

        answer = looking_as(other_sponsor).get(reverse("order", args=[attempt.public_id]))

        assert answer.status_code == 404


class TestAskingForARefund:
    def test_says_what_it_comes_to_and_lands_in_the_queue_once(
        self, agent: Signed, home: Home, sponsor: User, shop: Shop, looking_as: LOOKS
    ) -> None:
        client = looking_as(sponsor)
        receipt = _paid(shop, _order(client, agent))
        url = reverse("ask_refund", args=[receipt.public_id])
        assert "500 credits of this purchase are unused" in client.get(url).text

        client.post(url, {"reason": "not needed"})
        again = client.post(url, {"reason": "not needed"})

        request = RefundRequest.objects.get()
        assert request.is_from_sponsor
        assert request.amount_cents == 500
        assert request.state == "requested"
        assert again.status_code == 422
        shown = client.get(reverse("receipt", args=[receipt.public_id])).text
        assert "Refund requested: $5.00" in shown
        assert "Pending approval" in shown

    def test_reads_how_the_refund_stands(
        self, agent: Signed, home: Home, sponsor: User, shop: Shop, looking_as: LOOKS
    ) -> None:
        client = looking_as(sponsor)
        receipt = _paid(shop, _order(client, agent))
        client.post(reverse("ask_refund", args=[receipt.public_id]), {"reason": "not needed"})
        outcomes = {
            ("", ""): "Approved. The refund is being sent.",
            ("pending", ""): "On its way.",
            ("requires_action", ""): "Waiting for you",
            ("succeeded", ""): "Refunded.",
            ("failed", "declined"): "bank declined it",
            ("", "charge_disputed"): "the refund failed: the payment is disputed",
        }
        for (status, failure), words in outcomes.items():
            RefundRequest.objects.update(
                state="approved", needs_second_person=False, refund_status=status, failure=failure
            )
            page = client.get(reverse("receipt", args=[receipt.public_id])).text
            assert words in html.unescape(page)
