"""Every action about payments, by who may do it: done for a reason, audited, refused to others."""

import pytest
from django.urls import reverse

from accounts.models import AuditLine
from billing import ledger
from billing.models import RefundBlock, RefundRequest, StripeEvent, UnmatchedPayment
from billing.purchases import fulfillment
from billing.reversals import refund_sending, refunds
from tests.billing.shop import only_receipt, shop
from tests.imageskill.console.money_actions import action_url, do

__all__ = ["shop"]
pytestmark = pytest.mark.django_db
PART = {"amount": "12.50", "reason_code": "service"}


@pytest.fixture
def receipt(shop, agent):
    attempt = shop.attempt(agent, 5000)
    shop.account.pay(attempt.checkout_session_id)
    fulfillment.fulfill(payment_attempt_id=attempt.public_id)
    return only_receipt()


@pytest.fixture
def asked_by_sponsor(receipt, sponsor):
    return refunds.request_as_sponsor(receipt=receipt, reason="not needed", user=sponsor)


@pytest.fixture
def unmatched(shop, agent):
    attempt = shop.attempt(agent, key="short")
    shop.account.pay(attempt.checkout_session_id, amount_total=499)
    fulfillment.fulfill(payment_attempt_id=attempt.public_id)
    return UnmatchedPayment.objects.get()


@pytest.fixture
def event(shop, agent):
    attempt = shop.attempt(agent)
    shop.account.pay(attempt.checkout_session_id)
    [told] = shop.events("checkout.session.completed")
    shop.post(told)
    return StripeEvent.objects.get(event_id=told["id"])


def audited(user, action):
    line = AuditLine.objects.get(action=action, user=user)
    return line.reason == "because"


class TestRefund:
    def test_asks_for_the_amount_as_it_was_written(self, signed_in, supporter, receipt):
        do(signed_in(supporter), "billing_receipt", receipt, "refund", **PART)
        assert RefundRequest.objects.get().amount_cents == 1250
        assert audited(supporter, "refund.request")

    def test_begins_with_the_unused_part(self, signed_in, supporter, receipt):
        page = signed_in(supporter).get(action_url("billing_receipt", receipt, "refund"))
        assert page.context_data["form"]["amount"].value() == "50.00"
        assert "50.00 USD of 50.00 USD refundable goes back to the buyer" in page.content.decode()

    @pytest.mark.parametrize("amount", ["12,50", "twelve", "0", "-3", "1.005", "1e2", "50.00 EUR"])
    def test_what_is_no_amount_is_refused_with_how_to_write_one(
        self, signed_in, supporter, receipt, amount
    ):
        page = do(
            signed_in(supporter), "billing_receipt", receipt, "refund", **PART | {"amount": amount}
        )
        assert page.context_data["form"].errors["amount"]
        assert not RefundRequest.objects.exists()

    def test_without_a_reason_nothing_is_asked(self, signed_in, supporter, receipt):
        do(signed_in(supporter), "billing_receipt", receipt, "refund", **PART, reason=" ")
        assert not RefundRequest.objects.exists()

    def test_another_refund_meanwhile_has_to_be_read_first(
        self, signed_in, supporter, financier, receipt
    ):
        browser, url = signed_in(supporter), action_url("billing_receipt", receipt, "refund")
        page = browser.get(url).context_data
        form = {"seen": page["seen"], "key": page["key"], "reason": "because", **PART}
        refunds.request(
            receipt=receipt,
            amount_cents=4000,
            reason_code="service",
            reason="images were blank",
            user=financier,
        )
        answer = browser.post(url, form, follow=True)
        assert "has changed since you opened it" in answer.content.decode()
        assert RefundRequest.objects.count() == 1

    def test_auditors_only_read(self, signed_in, auditor, receipt):
        url = action_url("billing_receipt", receipt, "refund")
        assert signed_in(auditor).get(url).status_code == 403


class TestBlock:
    def page(self, browser, receipt):
        return browser.get(reverse("admin:billing_receipt_change", args=[receipt.pk]))

    def actions(self, page):
        return [action.name for action, _ in page.context_data["object_actions"]]

    def test_the_page_says_who_blocked_it_and_why_until_it_is_unblocked(
        self, signed_in, financier, supporter, receipt
    ):
        browser = signed_in(financier)
        do(browser, "billing_receipt", receipt, "block", reason="under investigation")
        blocked = self.page(signed_in(supporter), receipt)
        assert self.actions(blocked) == []
        assert "finance@example.com" in blocked.content.decode()
        assert "under investigation" in blocked.content.decode()

        do(browser, "billing_receipt", receipt, "unblock")
        assert not RefundBlock.objects.exists()
        assert audited(financier, "refund.unblock")
        page = self.page(browser, receipt)
        assert self.actions(page) == ["refund", "block"]
        assert "not blocked" in page.content.decode()

    @pytest.mark.parametrize("action_name", ["block", "unblock"])
    def test_who_may_not_approve_may_not_block(self, signed_in, supporter, receipt, action_name):
        url = action_url("billing_receipt", receipt, action_name)
        assert signed_in(supporter).get(url).status_code == 403

    def test_it_needs_a_reason(self, signed_in, financier, receipt):
        do(signed_in(financier), "billing_receipt", receipt, "block", reason="")
        assert not RefundBlock.objects.exists()


class TestRequests:
    def test_what_sponsors_ask_for_stands_apart(
        self, signed_in, supporter, asked_by_sponsor, unmatched
    ):
        own = refunds.request_for_unmatched(payment=unmatched, reason="odd", user=supporter)
        browser = signed_in(supporter)
        for is_from_sponsor, request in ((1, asked_by_sponsor), (0, own)):
            query = {"is_from_sponsor__exact": is_from_sponsor}
            page = browser.get(reverse("admin:billing_refundrequest_changelist", query=query))
            assert list(page.context_data["cl"].result_list) == [request]

    def test_two_of_finance_approve_what_is_above_their_limits(
        self, signed_in, financier, second_financier, asked_by_sponsor
    ):
        browser = signed_in(financier)
        page = browser.get(action_url("billing_refundrequest", asked_by_sponsor, "approve"))
        text = page.content.decode()
        assert "50.00 USD of 50.00 USD refundable goes back" in text
        assert "$0.00 of your $20.00 today is used." in text
        assert "A second person has to approve it." in text
        answer = do(browser, "billing_refundrequest", asked_by_sponsor, "approve")
        assert "Your approval is recorded." in answer.content.decode()
        asked_by_sponsor.refresh_from_db()
        assert asked_by_sponsor.is_pending
        do(signed_in(second_financier), "billing_refundrequest", asked_by_sponsor, "approve")
        asked_by_sponsor.refresh_from_db()
        assert asked_by_sponsor.state == "approved"
        assert asked_by_sponsor.decided_by == second_financier
        assert audited(second_financier, "refund.approved")

    def test_finance_turns_down_for_a_reason(self, signed_in, financier, asked_by_sponsor):
        browser = signed_in(financier)
        do(browser, "billing_refundrequest", asked_by_sponsor, "turn-down", reason="")
        asked_by_sponsor.refresh_from_db()
        assert asked_by_sponsor.is_pending
        do(browser, "billing_refundrequest", asked_by_sponsor, "turn-down")
        asked_by_sponsor.refresh_from_db()
        assert asked_by_sponsor.state == "turned_down"
        assert audited(financier, "refund.turned_down")

    @pytest.mark.parametrize("action_name", ["approve", "turn-down"])
    def test_support_decides_nothing(self, signed_in, supporter, asked_by_sponsor, action_name):
        url = action_url("billing_refundrequest", asked_by_sponsor, action_name)
        assert signed_in(supporter).get(url).status_code == 403


class TestFailedRefund:
    @pytest.fixture
    def failed(self, receipt, shop, supporter):
        """One that Stripe refused: the charge was refunded elsewhere, which we did not know."""
        asked = refunds.request(
            receipt=receipt,
            amount_cents=1250,
            reason_code="service",
            reason="images were blank",
            user=supporter,
        )
        shop.account.refund(receipt.charge_id)
        refund_sending.send(request_id=asked.pk)
        asked.refresh_from_db()
        return asked

    def test_stands_on_the_home_page_and_says_why(self, signed_in, supporter, failed):
        browser = signed_in(supporter)
        assert "Failed refunds" in browser.get(reverse("admin:index")).content.decode()
        query = {"failed": "yes"}
        page = browser.get(reverse("admin:billing_refundrequest_changelist", query=query))
        assert list(page.context_data["cl"].result_list) == [failed]
        page = browser.get(reverse("admin:billing_refundrequest_change", args=[failed.pk]))
        assert "the payment was refunded already" in page.content.decode()

    def test_is_retried_for_a_reason(self, signed_in, supporter, failed):
        browser = signed_in(supporter)
        do(browser, "billing_refundrequest", failed, "retry", reason="")
        failed.refresh_from_db()
        assert failed.status == "failed"
        do(browser, "billing_refundrequest", failed, "retry")
        failed.refresh_from_db()
        assert failed.status == "approved"
        assert audited(supporter, "refund.retry")

    def test_is_resolved_for_a_reason(self, signed_in, supporter, failed):
        do(signed_in(supporter), "billing_refundrequest", failed, "resolve-failure")
        assert not RefundRequest.objects.failed().exists()
        assert audited(supporter, "refund.resolve_failure")

    @pytest.mark.parametrize("name", ["retry", "resolve-failure"])
    def test_auditors_only_read(self, signed_in, auditor, failed, name):
        url = action_url("billing_refundrequest", failed, name)
        assert signed_in(auditor).get(url).status_code == 403


class TestPaymentThatBoughtNothing:
    def test_is_given_back_for_a_reason(self, signed_in, supporter, unmatched):
        browser = signed_in(supporter)
        page = browser.get(action_url("billing_unmatchedpayment", unmatched, "return"))
        assert "4.99 USD goes back to the buyer: the full payment" in page.content.decode()
        do(browser, "billing_unmatchedpayment", unmatched, "return", reason="")
        assert not RefundRequest.objects.exists()
        do(browser, "billing_unmatchedpayment", unmatched, "return")
        assert RefundRequest.objects.get().unmatched_payment == unmatched
        assert audited(supporter, "refund.request")

    def test_auditors_only_read(self, signed_in, auditor, unmatched):
        url = action_url("billing_unmatchedpayment", unmatched, "return")
        assert signed_in(auditor).get(url).status_code == 403


class TestReplay:
    def test_handles_the_event_for_a_reason(self, signed_in, lead_supporter, event, agent):
        browser = signed_in(lead_supporter)
        do(browser, "billing_stripeevent", event, "replay", reason="")
        assert ledger.balances(agent.organization.pk).paid == 0
        do(browser, "billing_stripeevent", event, "replay")
        assert ledger.balances(agent.organization.pk).paid == 500
        assert audited(lead_supporter, "stripe_event.replay")

    def test_a_dry_run_shows_the_difference_and_moves_nothing(self, signed_in, supporter, event):
        page = do(signed_in(supporter), "billing_stripeevent", event, "dry-run")
        assert "500 credits" in page.content.decode()
        assert not RefundRequest.objects.exists()
        event.refresh_from_db()
        assert event.state == "received"

    @pytest.mark.parametrize("action_name", ["dry-run", "replay"])
    def test_auditors_do_neither(self, signed_in, auditor, event, action_name):
        assert (
            signed_in(auditor)
            .get(action_url("billing_stripeevent", event, action_name))
            .status_code
            == 403
        )
