"""The sidebar leads to every list that there is, and to no page that the person may not open."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from imageskill.console import navigation
from imageskill.console.pages import PAGES

pytestmark = pytest.mark.django_db

OURS = {"accounts", "billing", "jobs", "feedback"}
# From the wallet whose balance they make, from the lot that they were taken from.
REACHED_OTHERWISE = {"billing.LedgerEntry", "billing.LotPart"}


def links(browser):
    page = browser.get("/admin/")
    return [item for group in page.context_data["sidebar_navigation"] for item in group["items"]]


class TestSidebar:
    def test_it_leads_to_every_list(self):
        named = {
            entry.model
            for group in navigation._GROUPS
            for entry in group.entries
            if isinstance(entry, navigation.NavList)
        }
        registered = {
            model._meta.label for model in admin.site._registry if model._meta.app_label in OURS
        }
        assert registered - REACHED_OTHERWISE - named == set()
        assert all(apps.get_model(label) for label in named)

    def test_an_entry_is_named_as_its_page_is_titled(self):
        # Billing's models are titled by the app itself.
        for entry in (entry for group in navigation._GROUPS for entry in group.entries):
            if isinstance(entry, navigation.NavList) and not entry.model.startswith("billing."):
                title = str(apps.get_model(entry.model)._meta.verbose_name_plural)
                assert title.lower() == entry.label.lower()

    @pytest.mark.parametrize("page", [page for page in PAGES if "<" not in page[0]])
    def test_so_is_an_entry_of_the_consoles_own_pages(self, signed_in, operator, page):
        names = {
            entry.url_name: entry.label
            for group in navigation._GROUPS
            for entry in group.entries
            if isinstance(entry, navigation.NavPage)
        }
        if page[2] in names:
            answer = signed_in(operator).get(reverse(f"admin:{page[2]}"))
            assert answer.context_data["title"] == names[page[2]]

    def test_finance_finds_what_waits_for_a_second_person(self, signed_in, financier):
        shown = {item["link"] for item in links(signed_in(financier))}
        for name in ("refundrequest", "creditcorrection", "packchange"):
            assert reverse(f"admin:billing_{name}_changelist") in shown

    @pytest.mark.parametrize("role", ["supporter", "financier", "triager", "auditor", "operator"])
    def test_each_entry_opens(self, signed_in, request, role):
        browser = signed_in(request.getfixturevalue(role))
        for item in links(browser):
            assert browser.get(item["link"]).status_code == 200, item

    def test_what_a_role_may_not_open_is_not_there(self, signed_in, triager):
        shown = {item["title"] for item in links(signed_in(triager))}
        assert {"Feedback inbox", "GitHub repositories"} <= shown
        assert not {"Receipts", "Wallets", "Audit log"} & shown

    def test_the_group_that_one_is_in_is_unfolded(self, signed_in, financier):
        browser = signed_in(financier)
        for name, folded in (("billing_receipt", 1), ("billing_lot", 0)):
            page = browser.get(reverse(f"admin:{name}_changelist")).content.decode()
            menu = page[page.index('id="nav-sidebar-apps"') :]
            assert menu.count('<details class="menu mb-1.5">') == folded
