"""Refunds, corrections and events in the console: look, ask, let a second person decide."""

import pytest
from django.urls import reverse

from accounts.models import AuditLine
from billing import ledger
from billing.ledger import corrections
from billing.models import (
    CreditCorrection,
    DisputeEvidence,
    PaymentReversal,
    RefundRequest,
    StripeEvent,
)
from billing.purchases import fulfillment
from tests.billing.shop import only_receipt, shop
from tests.imageskill.console.money_actions import do

__all__ = ["shop"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def receipt(shop, agent):
    attempt = shop.attempt(agent, 5000)
    shop.account.pay(attempt.checkout_session_id)
    fulfillment.fulfill(payment_attempt_id=attempt.public_id)
    return only_receipt()


class TestPaymentPage:
    def test_it_tells_the_whole_way_and_proves_that_it_counted_once(
        self, signed_in, financier, receipt, shop, django_assert_max_num_queries
    ):
        shop.tell()
        browser = signed_in(financier)
        url = reverse("admin:billing_receipt_change", args=[receipt.pk])
        browser.get(url)
        with django_assert_max_num_queries(25):
            answer = browser.get(url)
        timeline = answer.context_data["timeline"]
        assert timeline.applied == 1
        assert timeline.deliveries >= 1
        what = [step.what for step in timeline.steps]
        assert (
            what.index("Quote created")
            < what.index("Checkout created")
            < what.index("Receipt issued")
        )
        assert "5,000 credits: Payments → Paid credits" in answer.content.decode()


class TestRefund:
    def test_it_is_simulated_for_any_amount_before_anything_is_asked(
        self, signed_in, financier, receipt
    ):
        answer = do(
            signed_in(financier), "billing_receipt", receipt, "refund",
            amount="12.00", reason_code="requested_by_customer", preview="1",
        )  # fmt: skip
        assert "12.00 USD of 50.00 USD refundable goes back to the buyer" in answer.content.decode()
        assert not RefundRequest.objects.exists()

    def test_above_the_threshold_a_second_person_decides_and_never_who_asked(
        self, signed_in, financier, second_financier, receipt
    ):
        first, second = signed_in(financier), signed_in(second_financier)
        do(
            first, "billing_receipt", receipt, "refund",
            amount="50.00", reason_code="requested_by_customer",
        )  # fmt: skip
        request = RefundRequest.objects.get()
        assert request.state == "requested"
        own = do(first, "billing_refundrequest", request, "approve")
        assert "second person" in own.content.decode()
        request.refresh_from_db()
        assert request.state == "requested"
        do(second, "billing_refundrequest", request, "approve")
        request.refresh_from_db()
        assert (request.state, request.decided_by) == ("approved", second_financier)

    def test_sending_the_form_twice_asks_once(self, signed_in, financier, agent):
        browser = signed_in(financier)
        url = reverse("admin:accounts_agent_action", args=[agent.agent.pk, "goodwill"])
        asked = browser.get(url).context_data
        form = {"seen": asked["seen"], "key": asked["key"], "reason": "outage", "credits": 100}
        for _ in range(2):
            browser.post(url, form)
        assert ledger.balances(agent.organization.pk).preview == 140
        assert CreditCorrection.objects.count() == 1

    def test_triage_has_no_way_to_it(self, signed_in, triager, receipt):
        browser = signed_in(triager)
        assert browser.get(reverse("admin:billing_receipt_changelist")).status_code == 403
        url = reverse("admin:billing_receipt_action", args=[receipt.pk, "refund"])
        assert browser.get(url).status_code == 403


class TestCorrection:
    def test_a_write_off_moves_after_a_second_person(
        self, signed_in, financier, second_financier, agent
    ):
        asked = corrections.request(
            organization_id=agent.organization.pk,
            kind="adjust_preview",
            credits=-10,
            reason="counted twice",
            user=financier,
        )
        assert ledger.balances(agent.organization.pk).preview == 40
        do(signed_in(second_financier), "billing_creditcorrection", asked, "approve")
        assert ledger.balances(agent.organization.pk).preview == 30


class TestEvents:
    def test_a_dry_run_of_what_was_applied_shows_no_difference(
        self, signed_in, lead_supporter, shop, agent
    ):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id)
        shop.tell()
        event = StripeEvent.objects.filter(type="checkout.session.completed").get()
        answer = do(signed_in(lead_supporter), "billing_stripeevent", event, "dry-run")
        assert "No credits would move." in answer.content.decode()
        assert ledger.balances(agent.organization.pk).paid == 500
        line = AuditLine.objects.get(action="stripe_event.dry_run")
        assert (line.user, line.subject, line.reason) == (lead_supporter, event.event_id, "because")

    def test_support_may_look_but_not_replay(self, signed_in, supporter):
        event = StripeEvent.objects.create(
            event_id="evt_1",
            type="checkout.session.completed",
            is_live_mode=False,
            payload={},
            created_at="2026-01-01T00:00:00Z",
            next_attempt_at="2026-01-01T00:00:00Z",
        )
        browser = signed_in(supporter)
        for action_name, status in (("dry-run", 200), ("replay", 403)):
            url = reverse("admin:billing_stripeevent_action", args=[event.pk, action_name])
            assert browser.get(url).status_code == status


class TestEvidence:
    def test_it_is_gathered_edited_and_sent_once(
        self, signed_in, lead_supporter, supporter, shop, receipt
    ):
        dispute = shop.account.dispute(receipt.charge_id)
        shop.tell(*shop.events("charge.dispute."))
        reversal = PaymentReversal.objects.get(kind="dispute")
        url = reverse("admin:console_evidence", args=[reversal.public_id])
        page = signed_in(supporter).get(url)
        assert receipt.number in page.content.decode()
        parts = page.context_data["form"].initial | {"uncategorized_text": "And more."}
        signed_in(supporter).post(url, parts | {"save": "1"})
        assert DisputeEvidence.objects.get().parts["uncategorized_text"] == "And more."
        assert signed_in(supporter).post(url, parts | {"send": "1"}).status_code == 403
        for _ in range(2):
            signed_in(lead_supporter).post(url, parts | {"send": "1", "confirmed": "1"})
        kept = DisputeEvidence.objects.get()
        assert kept.sent_by == lead_supporter
        told = shop.account.get(dispute["id"])["evidence"]
        assert told["uncategorized_text"] == "And more."
