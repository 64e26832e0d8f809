"""A receipt as a document: what it says, to whom, and what became of its payment."""

import pytest
from django.urls import reverse

from accounts.models import Alert
from billing.models import PaymentAttempt, Receipt
from billing.purchases import (
    buyers,
    checkout,
    fulfillment,
    purchase_status,
    quotes,
    receipt_document,
    receipt_status,
)
from billing.purchases.receipt_status import ReceiptStatus
from billing.reversals import applying
from tests.billing.money import buy
from tests.billing.shop import only_receipt
from tests.billing.stripe_facts import dispute, refund

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_in_order")]
BUYER = {
    "name": "Example GmbH",
    "email": "billing@example.org",
    "line1": "Road 1",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
    "tax_id": "DE123456789",
}


@pytest.fixture
def seller(settings):
    settings.SELLER_LEGAL_NAME = "Images Ltd"
    settings.SELLER_ADDRESS = ["Street 2", "Dublin"]
    settings.SELLER_TAX_ID = "IE1234567X"
    settings.SELLER_EMAIL = "billing@example.net"


def pay(shop, agent, *, buyer=None, **how) -> Receipt:
    attempt = shop.attempt(agent)
    shop.account.pay(attempt.checkout_session_id, buyer=buyer, **how)
    fulfillment.fulfill(payment_attempt_id=attempt.public_id)
    return only_receipt()


def rows(receipt, *, shows_payer=True):
    document = receipt_document.build(receipt, shows_payer=shows_payer)
    return {label: value.replace("\N{WORD JOINER}", "") for label, value in document.rows()}


class TestContent:
    def test_names_seller_buyer_method_and_dates(self, shop, agent, seller, settings):
        settings.CHECKOUT_BILLING_ADDRESS = settings.CHECKOUT_TAX_ID = True

        receipt = pay(shop, agent, buyer=BUYER)
        said = rows(receipt)

        assert said["Seller"] == (
            "Images Ltd, Street 2, Dublin, Tax ID IE1234567X, billing@example.net"
        )
        assert said["Billed to"] == (
            "Example GmbH, Road 1, 10115 Berlin, DE, Tax ID DE123456789, billing@example.org"
        )
        assert said["Payment method"] == "Visa ending in 4242"
        assert said["Receipt number"] == receipt.number
        assert said["Image Skill credits"] == "500 × 0.01 USD = 5.00 USD"
        assert said["Tax"] == "No tax is charged on this sale."
        assert said["Total"] == "5.00 USD"
        assert said["Date of payment"] == said["Date of supply"]
        assert said["Note"] == "Test receipt. No money was charged."

    def test_keeps_the_seller_of_its_day(self, shop, agent, seller, settings):
        receipt = pay(shop, agent)
        settings.SELLER_LEGAL_NAME = "Renamed Ltd"
        assert rows(receipt)["Seller"].startswith("Images Ltd")

    def test_says_nothing_of_address_and_tax_id_that_checkout_did_not_ask_for(self, shop, agent):
        receipt = pay(shop, agent, buyer=BUYER)
        assert receipt.billed_to == {"name": "Example GmbH", "email": "billing@example.org"}

    def test_tax_on_top_is_paid_beside_the_quote(self, shop, agent, settings):
        settings.CHECKOUT_AUTOMATIC_TAX = True

        receipt = pay(shop, agent, discount_cents=100)

        assert (receipt.credits, receipt.amount_cents) == (500, 480)
        assert (receipt.discount_cents, receipt.tax_cents, receipt.is_tax_included) == (
            100,
            80,
            False,
        )
        said = rows(receipt)
        assert (said["Discount"], said["Tax"], said["Total"]) == (
            "−1.00 USD",
            "0.80 USD",
            "4.80 USD",
        )

    def test_tax_in_the_price_leaves_the_total(self, shop, agent, settings):
        settings.CHECKOUT_AUTOMATIC_TAX, settings.CHECKOUT_TAX_BEHAVIOR = True, "inclusive"

        receipt = pay(shop, agent)

        assert (receipt.amount_cents, receipt.tax_cents, receipt.is_tax_included) == (500, 83, True)
        assert rows(receipt)["Tax (included)"] == "0.83 USD"

    def test_a_tax_of_nothing_says_why(self, shop, agent, settings):
        settings.CHECKOUT_AUTOMATIC_TAX = settings.CHECKOUT_TAX_ID = True

        receipt = pay(shop, agent, buyer=BUYER)

        assert (receipt.amount_cents, receipt.tax_cents) == (500, 0)
        assert rows(receipt)["Tax"] == "Reverse charge: the buyer accounts for the tax."

    def test_a_total_that_tax_does_not_explain_waits_for_staff(self, shop, agent, settings):
        settings.CHECKOUT_AUTOMATIC_TAX = True
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id, amount_total=590)

        fulfillment.fulfill(payment_attempt_id=attempt.public_id)

        assert not Receipt.objects.exists()

    def test_a_subtotal_other_than_the_quote_waits_for_staff(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id, amount_subtotal=400, amount_total=400)

        fulfillment.fulfill(payment_attempt_id=attempt.public_id)

        assert not Receipt.objects.exists()


class TestCheckout:
    def test_asks_for_nothing_by_default(self, shop, agent):
        [session] = self._opened(shop, agent)
        assert session["billing_address_collection"] is None
        assert session["customer_email"] is None
        assert not session["tax_id_collection"]["enabled"]
        assert not session["automatic_tax"]["enabled"]

    def test_asks_for_what_the_settings_say(self, shop, agent, settings):
        settings.CHECKOUT_BILLING_ADDRESS = settings.CHECKOUT_TAX_ID = True
        settings.CHECKOUT_AUTOMATIC_TAX = True
        [session] = self._opened(shop, agent)
        assert session["billing_address_collection"] == "required"
        assert session["tax_id_collection"]["enabled"]
        assert session["automatic_tax"]["enabled"]

    def test_passes_a_sponsors_email_on(self, shop, agent, sponsor):
        buyer = buyers.sponsor_buyer(sponsor, organization_id=agent.organization.pk)
        quote = quotes.create(
            buyer=buyer, payment_method="stripe_checkout", credits=500, idempotency_key="q"
        )
        checkout.open_session(buyer=buyer, quote_id=quote.public_id, idempotency_key="b")
        [session] = shop.account.all("checkout.session")
        assert session["customer_email"] == sponsor.email

    def test_asks_stripe_about_an_attempt_that_looks_expired(self, shop, agent, client):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id)
        PaymentAttempt.objects.update(status="expired")

        page = client.get(f"/pay/{attempt.public_id}/paid")

        assert "You can close this page" in page.text
        assert only_receipt().credits == 500

    def _opened(self, shop, agent):
        shop.attempt(agent)
        return shop.account.all("checkout.session")


class TestReaders:
    @pytest.fixture
    def receipt(self, shop, agent, sponsor):
        return pay(shop, agent, buyer={"name": "Payer Person"})

    def test_who_paid_is_the_sponsor_of_the_day(self, receipt, sponsor):
        assert receipt.payer == sponsor

    def test_the_payer_reads_it_after_the_agent_has_gone(self, client, receipt, sponsor, colleague):
        self._transfer(receipt, colleague)
        client.force_login(sponsor)
        page = client.get(reverse("receipt", args=[receipt.public_id]))
        assert page.status_code == 200
        assert "Payer Person" in page.text
        assert reverse("credits", args=[receipt.organization.public_id]) not in page.text

    def test_the_new_sponsor_reads_it_without_the_person(self, client, receipt, colleague):
        self._transfer(receipt, colleague)
        client.force_login(colleague)
        page = client.get(reverse("receipt", args=[receipt.public_id]))
        assert receipt.number in page.text
        assert "Payer Person" not in page.text
        assert "4242" not in page.text
        assert "buyer@example.com" not in page.text

    def test_nobody_else_reads_it(self, client, receipt, colleague):
        client.force_login(colleague)
        assert client.get(reverse("receipt", args=[receipt.public_id])).status_code == 404

    def test_the_mail_says_what_the_page_says(self, receipt, sponsor):
        alert = Alert.objects.get(kind="purchase")
        document = receipt_document.build(receipt, shows_payer=True)
        assert [tuple(row) for row in alert.facts["rows"]] == document.rows()

    @pytest.fixture
    def colleague(self, django_user_model):
        return django_user_model.objects.create_user("colleague@example.com")

    def _transfer(self, receipt, user):
        receipt.organization.owner = user
        receipt.organization.save()


class TestStatus:
    @pytest.fixture
    def receipt(self, org):
        return buy(org, 500, charge_id="ch_a")

    @pytest.fixture
    def org(self, agent):
        return agent.organization.pk

    def test_is_paid_at_first(self, receipt):
        assert self._of(receipt) == ("paid", 500)

    def test_of_refunds_in_part_and_of_all(self, receipt):
        applying.apply_refund(refund("re_1", "ch_a", 200))
        assert self._of(receipt) == ("partially_refunded", 300)
        applying.apply_refund(refund("re_2", "ch_a", 300))
        assert self._of(receipt) == ("refunded", 0)

    def test_of_a_dispute_held_lost_and_won(self, receipt):
        applying.apply_refund(refund("re_1", "ch_a", 200))
        applying.apply_dispute(dispute("du_1", "ch_a", 300))
        assert self._of(receipt) == ("disputed", 0)
        applying.apply_dispute(dispute("du_1", "ch_a", 300, status="lost"))
        assert self._of(receipt) == ("lost", 0)

    def test_a_dispute_won_leaves_no_mark(self, receipt):
        applying.apply_dispute(dispute("du_1", "ch_a", 500))
        applying.apply_dispute(dispute("du_1", "ch_a", 500, status="won", reinstated=True))
        assert self._of(receipt) == ("paid", 500)

    def test_a_refund_that_failed_leaves_no_mark(self, receipt):
        applying.apply_refund(refund("re_1", "ch_a", 500))
        applying.apply_refund(refund("re_1", "ch_a", 500, status="failed"))
        assert self._of(receipt) == ("paid", 500)

    def test_a_refund_under_way_is_a_badge(self, receipt):
        assert not receipt_status.of(receipt).is_refund_under_way
        applying.apply_refund(refund("re_1", "ch_a", 500, status="pending"))
        found = receipt_status.of(receipt)
        assert (found.status, found.is_refund_under_way) == ("paid", True)

    def test_the_document_says_what_was_reversed_and_the_net_amount(self, receipt):
        assert "Net" not in rows(receipt_status.of(receipt))
        applying.apply_refund(refund("re_1", "ch_a", 200))
        applying.apply_dispute(dispute("du_1", "ch_a", 100))

        said = rows(receipt_status.of(receipt))

        assert (said["Status"], said["Total"]) == ("Disputed", "5.00 USD")
        assert (said["Refunded"], said["Disputed"]) == ("−2.00 USD", "−1.00 USD")
        assert said["Net"] == "2.00 USD"

    def test_page_and_mail_say_the_net_amount(self, receipt, client, sponsor):
        applying.apply_refund(refund("re_1", "ch_a", 200))

        client.force_login(sponsor)
        page = client.get(reverse("receipt", args=[receipt.public_id])).text

        assert '<th scope="row">Net</th><td colspan="3" class="number">3.00 USD</td>' in page
        alert = Alert.objects.get(kind="refund")
        assert alert.facts["net"] == "$3.00"

    def test_narrows_a_list_to_each_status_once(self, receipt, org):
        parts = buy(org, 500, charge_id="ch_b")
        applying.apply_refund(refund("re_b", "ch_b", 1))
        lost = buy(org, 500, charge_id="ch_c")
        applying.apply_refund(refund("re_c", "ch_c", 1))
        applying.apply_dispute(dispute("du_c", "ch_c", 499, status="lost"))

        found = {
            status: list(receipt_status.filter_by(Receipt.objects.all(), status))
            for status in ReceiptStatus
        }

        assert found == {
            ReceiptStatus.LOST: [lost],
            ReceiptStatus.DISPUTED: [],
            ReceiptStatus.REFUNDED: [],
            ReceiptStatus.PARTIALLY_REFUNDED: [parts],
            ReceiptStatus.PAID: [receipt],
        }
        [total] = receipt_status.totals(Receipt.objects.all())
        assert (total["cents"], total["net"]) == (1500, 999)
        assert (total["refunds"], total["disputes"]) == (2, 499)

    def test_is_what_the_agent_reads_lost_as_disputed(self, receipt, org):
        applying.apply_dispute(dispute("du_1", "ch_a", 500, status="lost"))
        found = purchase_status.find(organization_id=org, receipt_id=receipt.public_id)
        assert found.state == "disputed"

    def _of(self, receipt):
        found = receipt_status.of(receipt)
        return found.status, found.net_cents
