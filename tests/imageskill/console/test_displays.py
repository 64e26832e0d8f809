"""Fields look alike on every page: by their type, and by what a class says of them."""

from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.contrib.admin.utils import label_for_field, lookup_field
from django.urls import reverse
from unfold.decorators import display

from accounts.models import Organization, User
from billing.models import BalanceMovement, Difference, PaymentReversal, Receipt, StripeEvent
from imageskill.lib.admin.bases import ReadOnlyAdmin

AT = datetime(2026, 11, 30, 6, 22, tzinfo=UTC)


class PlainAdmin(ReadOnlyAdmin):
    copyable_fields = ("stripe_id", "related_ids")
    badges = {"state": {"applied": "warning"}}  # noqa: RUF012 - as admin classes write it
    labels = {"our_cents": "ledger", "credits": "gross"}  # noqa: RUF012


def shown(thing, name):
    site = PlainAdmin(type(thing), admin.site)
    [column] = site.by_type([name])
    return lookup_field(column, thing, site)[2]


def label(model, name):
    site = PlainAdmin(model, admin.site)
    [column] = site.by_type([name])
    return label_for_field(column, model, site)


class TestType:
    @pytest.mark.parametrize(
        ("thing", "name", "text"),
        [
            (
                BalanceMovement(amount_cents=-123456, currency="eur"),
                "amount_cents",
                "-1,234.56 EUR",
            ),
            (Difference(stripe_cents=499, stripe_currency="eur"), "stripe_cents", "4.99 EUR"),
            (Difference(our_cents=500), "our_cents", "5.00 USD"),
            (Difference(our_cents=None), "our_cents", "–"),
            (Receipt(credits=1250), "credits", "1,250"),
            (Difference(closed_at=None), "closed_at", "–"),
            (PaymentReversal(receipt=None), "receipt", "–"),
        ],
    )
    def test_a_value_is_written_by_it(self, thing, name, text):
        assert shown(thing, name) == text

    def test_a_moment_is_an_element_with_utc(self):
        assert 'datetime="2026-11-30T06:22:00' in shown(StripeEvent(received_at=AT), "received_at")

    def test_an_id_has_a_button_that_copies_it(self):
        assert 'data-copy="ch_1"' in shown(PaymentReversal(stripe_id="ch_1"), "stripe_id")
        assert 'data-copy="pi_2"' in shown(StripeEvent(related_ids=["pi_2"]), "related_ids")
        assert "data-copy" in shown(Receipt(public_id="receipt_1"), "public_id")

    def test_a_key_to_another_row_links_to_its_page(self):
        receipt = Receipt(pk=7, number="TEST-1")
        url = reverse("admin:billing_receipt_change", args=[7])
        assert f'href="{url}"' in shown(PaymentReversal(receipt=receipt), "receipt")

    def test_the_first_column_holds_no_link_in_the_lists_own(self, rf):
        class Linked(PlainAdmin):
            list_display = ("receipt", "organization")

        first, second = Linked(PaymentReversal, admin.site).get_list_display(rf.get("/"))
        assert (first, second) == ("receipt", "organization_displayed")

    def test_a_badge_is_its_words_on_a_page(self, rf):
        class Badged(PlainAdmin):
            fields = ("state", "outcome", "reason")

            @display(description="status", label={"b": "warning"})
            def outcome(self, _):
                return "b", "Bad"

        site = Badged(PaymentReversal, admin.site)
        request = rf.get("/")
        request.user = User(is_superuser=True)
        [(_, options)] = site.get_fieldsets(request)
        reversal = PaymentReversal(kind="dispute", state="applied")

        shown = [lookup_field(name, reversal, site)[2] for name in options["fields"][:2]]

        assert shown == ["Debited", "Bad"]
        assert label_for_field(options["fields"][1], PaymentReversal, site) == "status"

    def test_a_path_reaches_into_other_rows(self):
        organization = Organization(owner=User(email="sponsor@example.com"))
        assert shown(organization, "owner__email") == "sponsor@example.com"
        assert shown(Organization(owner=None), "owner__email") == "–"

    def test_a_number_says_so_in_its_columns_class(self):
        columns = PlainAdmin(Receipt, admin.site).by_type(["credits", "amount_cents", "issued_at"])
        assert columns == ["credits_numeric", "amount_cents_numeric", "issued_at_displayed"]

    def test_a_badge_has_the_value_and_its_words(self):
        state, words = shown(PaymentReversal(state="applied"), "state")
        assert (state, words) == ("applied", PaymentReversal.State.APPLIED.label)


class TestLabel:
    @pytest.mark.parametrize(
        ("model", "name", "text"),
        [
            (Receipt, "amount_cents", "amount"),
            (Receipt, "issued_at", "issued"),
            (Receipt, "public_id", "receipt id"),
            (Difference, "our_cents", "ledger"),
            (Receipt, "credits", "gross"),
        ],
    )
    def test_is_the_models_word_or_the_classs(self, model, name, text):
        assert label(model, name) == text
