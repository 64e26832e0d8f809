"""Reconciliation per receipt: from a day to its movements, from a receipt to what Stripe moved."""

from datetime import timedelta

import pytest
from django.urls import reverse

from billing.models import BalanceMovement, Difference, ReconciledDay
from billing.purchases import fulfillment
from billing.reconciliation import fetching, run
from imageskill.lib import clock
from tests.billing.shop import only_receipt, shop

__all__ = ["shop"]
pytestmark = pytest.mark.django_db
MOVEMENTS = "admin:billing_balancemovement_changelist"


@pytest.fixture
def receipt(shop, agent, monkeypatch):
    """A receipt of 5.00 USD; part of it was refunded, of which no event told us."""
    monkeypatch.setattr(run, "_LAG", timedelta(seconds=-5))
    attempt = shop.attempt(agent)
    shop.account.pay(attempt.checkout_session_id)
    fulfillment.fulfill(payment_attempt_id=attempt.public_id)
    found = only_receipt()
    shop.account.refund(found.charge_id, 200)
    today = clock.utc_day(clock.now())
    run.run(since=today, until=today)
    return found


def page_of(browser, thing):
    opts = thing._meta
    return browser.get(reverse(f"admin:billing_{opts.model_name}_change", args=[thing.pk]))


def rows(browser, url, **query):
    return list(browser.get(url, query).context_data["cl"].result_list)


class TestReceipt:
    def test_shows_what_stripe_moved_to_the_cent(self, signed_in, financier, receipt):
        movement = receipt.movements.get()
        text = page_of(signed_in(financier), receipt).content.decode()
        assert reverse("admin:billing_balancemovement_change", args=[movement.pk]) in text
        for cents in (500, movement.fee_cents, movement.net_cents):
            assert f"{cents / 100:.2f} USD" in text
        assert "No discrepancies." in text

    def test_shows_its_differences(self, signed_in, financier, receipt):
        BalanceMovement.objects.filter(receipt=receipt).update(amount_cents=499)
        Difference.objects.create(
            key="amount:payment:ch",
            reason=Difference.Reason.FEE,
            day=clock.utc_day(clock.now()),
            environment="stand_in",
            receipt=receipt,
            stripe_cents=499,
            our_cents=500,
        )
        text = page_of(signed_in(financier), receipt).content.decode()
        assert "Stripe fee mismatch" in text
        assert "Discrepancies" in text

    def test_keeps_it_from_who_may_not_see_the_ledger(self, signed_in, supporter, receipt):
        answer = page_of(signed_in(supporter), receipt)
        assert answer.status_code == 200
        assert "Balance transactions" not in answer.content.decode()


class TestDay:
    def test_leads_to_its_movements_and_its_differences(self, signed_in, financier, receipt):
        browser = signed_in(financier)
        day = ReconciledDay.objects.get()
        text = page_of(browser, day).content.decode()
        assert "Stripe and the ledger differ on this day." in text
        net = "".join(text[text.index(">Net<") :].split("</tr>")[0].split())
        assert [cents in net for cents in ("3.00USD", "5.00USD", "-2.00USD")] == [True] * 3
        query = {
            "environment__exact": "stand_in",
            "created_at__gte": f"{day.day}",
            "created_at__lt": f"{day.day + timedelta(days=1)}",
        }
        assert reverse(MOVEMENTS, query=query).replace("&", "&amp;") in text
        assert len(rows(browser, reverse(MOVEMENTS), **query)) == 2
        listed = reverse("admin:billing_difference_changelist")
        of_day = {"environment__exact": "stand_in", "day__exact": f"{day.day}"}
        assert rows(browser, listed, **of_day) == [Difference.objects.get()]
        assert rows(browser, listed, **of_day | {"day__exact": "2020-01-01"}) == []

    def test_shows_its_delta_in_the_list_as_on_its_page(self, signed_in, financier, receipt):
        browser = signed_in(financier)
        listed = browser.get(reverse("admin:billing_reconciledday_changelist")).content.decode()
        assert "-2.00 USD" in listed
        difference = Difference.objects.get()
        fetching.fetch(difference=difference, user=financier, reason="its webhook was lost")
        day = ReconciledDay.objects.get()
        assert "agree on this day" in page_of(browser, day).content.decode()
        listed = browser.get(reverse("admin:billing_reconciledday_changelist")).content.decode()
        assert "-2.00 USD" not in listed

    def test_offers_to_fetch_a_discrepancy_from_stripe(self, signed_in, financier, receipt):
        browser = signed_in(financier)
        page = page_of(browser, Difference.objects.get()).content.decode()
        assert "Fetch from Stripe" in page


class TestMovements:
    def test_are_found_by_what_they_belong_to(self, signed_in, financier, receipt):
        browser = signed_in(financier)
        movement = receipt.movements.get()
        for text in (movement.stripe_id, receipt.charge_id, receipt.number, receipt.public_id):
            assert rows(browser, reverse(MOVEMENTS), q=text) == [movement], text

    def test_are_narrowed_by_what_moved(self, signed_in, financier, receipt):
        browser = signed_in(financier)
        [refund] = rows(browser, reverse(MOVEMENTS), category__exact="refund")
        assert refund.amount_cents == -200
        text = page_of(browser, refund).content.decode()
        assert "-2.00 USD" in text

    def test_lead_to_the_difference_about_them(self, signed_in, financier, receipt):
        browser = signed_in(financier)
        refund = BalanceMovement.objects.get(category="refund")
        listed = reverse("admin:billing_difference_changelist")
        found = rows(browser, listed, stripe_id__exact=refund.source_id)
        assert [difference.reason for difference in found] == [Difference.Reason.MISSING_EVENT]
        assert page_of(browser, found[0]).status_code == 200
