"""What a person sees who was handed a payment link, and who comes back from Stripe."""

from datetime import timedelta

import pytest

from billing.models import AttemptStatus, PaymentAttempt, Receipt
from billing.purchases import fulfillment
from imageskill.dev.standins.faults import Fault
from imageskill.lib import clock
from tests.billing.shop import only_receipt


@pytest.fixture
def attempt(shop, agent):
    return shop.attempt(agent)


def text(response):
    return response.content.decode()


@pytest.mark.django_db
class TestHandoff:
    def test_an_open_attempt_leads_on_to_stripe_fragment_and_all(self, client, attempt):
        response = client.get(f"/pay/{attempt.public_id}")
        assert response.status_code == 303
        assert response["Location"] == attempt.checkout_url
        assert "#fid" in response["Location"]
        assert "no-store" in response["Cache-Control"]

    def test_opening_it_changes_nothing(self, client, attempt):
        client.head(f"/pay/{attempt.public_id}")
        client.get(f"/pay/{attempt.public_id}")
        attempt.refresh_from_db()
        assert attempt.status == AttemptStatus.OPEN

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (AttemptStatus.SUCCEEDED, "Paid"),
            (AttemptStatus.EXPIRED, "expired"),
            (AttemptStatus.FAILED, "failed"),
            (AttemptStatus.CANCELED, "canceled"),
            (AttemptStatus.PROCESSING, "Payment processing"),
            (AttemptStatus.NEEDS_STAFF, "under review"),
            (AttemptStatus.OVERPAID, "Paid twice"),
        ],
    )
    def test_any_other_gets_a_page_that_says_so(self, client, attempt, status, words):
        PaymentAttempt.objects.update(status=status)
        response = client.get(f"/pay/{attempt.public_id}")
        assert response.status_code == 200
        assert words in text(response)
        assert "500" in text(response)

    def test_a_session_past_its_time_is_expired_before_stripe_says_so(self, client, attempt):
        PaymentAttempt.objects.update(session_expires_at=clock.now() - timedelta(seconds=1))
        response = client.get(f"/pay/{attempt.public_id}")
        assert (response.status_code, "expired" in text(response)) == (200, True)

    def test_an_unknown_one_is_unknown(self, client, db):
        response = client.get("/pay/payatt_unknown")
        assert response.status_code == 404
        assert "Payment not found" in text(response)

    def test_it_says_that_no_money_moves(self, client, attempt):
        PaymentAttempt.objects.update(status=AttemptStatus.SUCCEEDED)
        assert "No money is charged" in text(client.get(f"/pay/{attempt.public_id}"))
        PaymentAttempt.objects.update(environment="live")
        assert "No money is charged" not in text(client.get(f"/pay/{attempt.public_id}"))

    def test_only_reading_is_allowed(self, client, attempt):
        assert client.post(f"/pay/{attempt.public_id}").status_code == 405


@pytest.mark.django_db
class TestComingBack:
    def test_paid_before_any_webhook_came(self, client, shop, attempt):
        shop.account.pay(attempt.checkout_session_id)
        response = client.get(f"/pay/{attempt.public_id}/paid?session_id=whatever")
        assert "Paid" in text(response)
        only_receipt()

    def test_not_paid_yet_looks_again(self, client, attempt):
        response = client.get(f"/pay/{attempt.public_id}/paid")
        assert "Waiting" in text(response)
        assert 'http-equiv="refresh"' in text(response)
        assert not Receipt.objects.exists()

    def test_stripe_out_of_reach_shows_what_is_known(self, client, shop, attempt):
        shop.account.pay(attempt.checkout_session_id)
        shop.stand_in.faults.add(Fault(times=None, cut="before"))
        response = client.get(f"/pay/{attempt.public_id}/paid")
        assert (response.status_code, "Waiting" in text(response)) == (200, True)

    def test_many_looks_do_not_become_many_calls(self, client, shop, attempt):
        shop.stand_in.requests.clear()
        for _ in range(30):
            client.get(f"/pay/{attempt.public_id}/paid")
        assert len(shop.stand_in.requests) <= 20

    def test_going_back_leaves_it_open(self, client, attempt):
        response = client.get(f"/pay/{attempt.public_id}/canceled")
        assert "without paying" in text(response)
        assert f"/pay/{attempt.public_id}" in text(response)
        attempt.refresh_from_db()
        assert attempt.status == AttemptStatus.OPEN

    def test_going_back_after_all_was_paid_says_paid(self, client, shop, attempt):
        shop.account.pay(attempt.checkout_session_id)
        fulfillment.fulfill(payment_attempt_id=attempt.public_id)
        assert "Paid" in text(client.get(f"/pay/{attempt.public_id}/canceled"))
