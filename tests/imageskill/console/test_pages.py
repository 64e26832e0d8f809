"""Every page of the console opens for an operator, within its budget, and for no sponsor."""

import pytest
from django.contrib import admin
from django.urls import reverse

from imageskill.console.pages import MOVED
from imageskill.console.pages import PAGES as EVERY_PAGE
from jobs.catalog import switches

pytestmark = pytest.mark.django_db

PAGES = [page for page in EVERY_PAGE if "<" not in page[0]]
OURS = [
    model
    for model in admin.site._registry
    if model._meta.app_label in {"accounts", "billing", "jobs", "feedback"}
]


@pytest.fixture
def everything(operator):
    operator.is_superuser = True
    operator.save()
    return operator


class TestPages:
    def test_each_list_opens_within_25_statements(
        self, signed_in, everything, agent, django_assert_max_num_queries
    ):
        browser = signed_in(everything)
        browser.get("/admin/")
        for model in OURS:
            opts = model._meta
            url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
            with django_assert_max_num_queries(25):
                assert browser.get(url).status_code == 200, url

    def test_each_page_opens_within_25_statements(
        self, signed_in, everything, agent, django_assert_max_num_queries
    ):
        browser = signed_in(everything)
        browser.get("/admin/")
        for url in ("/admin/", *(reverse(f"admin:{name}") for _, _, name in PAGES)):
            with django_assert_max_num_queries(25):
                assert browser.get(url).status_code == 200, url

    def test_none_of_them_opens_for_a_sponsor(self, signed_in, sponsor):
        browser = signed_in(sponsor)
        for _, _, name in PAGES:
            assert browser.get(reverse(f"admin:{name}")).status_code in {302, 403}

    def test_none_of_the_lists_can_be_added_to_or_deleted_from(self, signed_in, everything):
        browser = signed_in(everything)
        for model in OURS:
            opts = model._meta
            url = reverse(f"admin:{opts.app_label}_{opts.model_name}_add")
            assert browser.get(url).status_code == 403, url


class TestMovedPages:
    @pytest.mark.parametrize(("old", "name"), [move for move in MOVED if "<" not in move[0]])
    def test_an_earlier_address_redirects_for_good_with_its_filters(
        self, signed_in, operator, old, name
    ):
        answer = signed_in(operator).get(f"/admin/{old}?state=watch&days=7")
        assert answer.status_code == 301
        assert answer["Location"] == reverse(f"admin:{name}") + "?state=watch&days=7"

    def test_so_does_the_file_of_a_table(self, signed_in, operator):
        answer = signed_in(operator).get("/admin/position/models.csv?days=7")
        assert answer.status_code == 301
        assert answer["Location"] == "/admin/financial-overview/models.csv?days=7"


class TestSwitch:
    def test_a_model_is_switched_off_for_a_reason(self, signed_in, operator, api):
        browser = signed_in(operator)
        form = {"kind": "model", "name": "local.sketch", "is_on": "0", "reason": "paper is out"}
        url = reverse("admin:console_switch")
        assert browser.post(url, form | {"reason": ""}).status_code == 200
        assert api.get("/v1/models/local.sketch").data["model"]["status"] == "available"
        assert browser.post(url, form).status_code == 302
        switches.clear_cache()
        assert api.get("/v1/models/local.sketch").data["model"]["status"] == "unavailable"
        switches.clear_cache()

    def test_an_auditor_may_look_but_not_switch(self, signed_in, auditor):
        browser = signed_in(auditor)
        assert browser.get(reverse("admin:console_models")).status_code == 200
        assert browser.get(reverse("admin:console_switch")).status_code == 403
