"""A payment's pages: one timeline from its quote, its attempts and its receipt alike."""

import pytest
from django.urls import reverse

from billing.models import LotPart, StripeEvent, UnmatchedPayment
from billing.purchases import fulfillment, payment_timeline
from billing.reversals import refund_blocks, refund_sending, refunds
from tests.billing.money import spend
from tests.billing.shop import only_receipt, shop

__all__ = ["shop"]
pytestmark = pytest.mark.django_db


def page(browser, thing):
    opts = thing._meta
    return browser.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[thing.pk]))


def steps(answer):
    return [step.what for step in answer.context_data["timeline"].steps]


@pytest.fixture
def bought(shop, agent):
    attempt = shop.attempt(agent, 5000)
    shop.account.pay(attempt.checkout_session_id)
    fulfillment.fulfill(payment_attempt_id=attempt.public_id)
    return only_receipt()


class TestTimeline:
    def test_an_attempt_that_nobody_paid_has_one(self, signed_in, supporter, shop, agent):
        attempt = shop.attempt(agent)
        answer = page(signed_in(supporter), attempt)
        assert steps(answer) == ["Quote created", "Checkout created"]
        assert "Not granted" in answer.content.decode()

    def test_a_payment_of_another_amount_tells_what_became_of_it(
        self, signed_in, financier, shop, agent
    ):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id, amount_total=499)
        shop.tell()
        payment = UnmatchedPayment.objects.get()
        asked = refunds.request_for_unmatched(
            payment=payment, reason="wrong amount", user=financier
        )
        refund_sending.send(request_id=asked.pk)
        attempt.refresh_from_db()
        browser = signed_in(financier)
        for thing in (attempt, attempt.quote, payment):
            answer = page(browser, thing)
            told = steps(answer)
            assert "Checkout needs review" in told
            assert told.index("Unmatched payment") < told.index("Refund requested")
            assert "Unmatched payment refunded" in told
            assert told.index("Refund approved") < told.index("Refund succeeded")
            assert "4.99 USD" in answer.content.decode()

    def test_it_is_the_same_from_quote_attempt_and_receipt(self, signed_in, financier, bought):
        browser = signed_in(financier)
        told = [steps(page(browser, one)) for one in (bought, bought.attempt, bought.quote)]
        assert told[0] == told[1] == told[2]
        assert "Granted" in told[0]

    def test_a_block_of_refunds_stands_in_it(self, financier, bought):
        refund_blocks.block(receipt=bought, user=financier, reason="under investigation")
        [step] = [
            one for one in payment_timeline.build(bought.quote).steps if "blocked" in one.what
        ]
        assert step.detail == "by finance@example.com: under investigation"

    def test_its_jobs_attempts_and_events_are_links(
        self, signed_in, financier, shop, agent, bought
    ):
        shop.tell()
        job = spend(agent.organization.pk, 100)
        text = page(signed_in(financier), bought).content.decode()
        assert reverse("admin:jobs_job_changelist", query={"q": job}) in text
        for thing, name in ((bought.attempt, "paymentattempt"), (bought.quote, "quote")):
            assert reverse(f"admin:billing_{name}_change", args=[thing.pk]) in text

    def test_what_is_left_out_is_said_with_the_way_to_it(
        self, signed_in, financier, agent, bought, shop, monkeypatch
    ):
        monkeypatch.setattr(payment_timeline, "MAX_PER_KIND", 1)
        shop.tell(*shop.events("checkout."), *shop.events("charge."))
        for _ in range(2):
            spend(agent.organization.pk, 100)
        browser = signed_in(financier)
        answer = page(browser, bought)
        left_out = answer.context_data["timeline"].left_out
        assert steps(answer).count("Spent") == 1
        assert {one.model for one in left_out} == {StripeEvent, LotPart}
        for one in left_out:
            name = f"admin:billing_{one.model._meta.model_name}_changelist"
            url = reverse(name, query=one.filters)
            assert url in answer.content.decode()
            assert browser.get(url).context_data["cl"].result_count == 2

    def test_it_takes_few_statements(
        self, signed_in, financier, bought, shop, django_assert_max_num_queries
    ):
        shop.tell()
        browser = signed_in(financier)
        for thing in (bought, bought.attempt, bought.quote):
            page(browser, thing)
            with django_assert_max_num_queries(25):
                page(browser, thing)


class TestInbox:
    def test_a_charge_finds_the_events_of_its_dispute(self, signed_in, supporter, shop, bought):
        shop.account.dispute(bought.charge_id)
        shop.tell(*shop.events("charge.dispute."))
        url = reverse("admin:billing_stripeevent_changelist", query={"q": bought.charge_id})
        found = signed_in(supporter).get(url).context_data["cl"].result_list
        assert {event.type for event in found} >= {"charge.dispute.created"}
