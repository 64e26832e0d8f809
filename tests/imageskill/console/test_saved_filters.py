"""Filters live in the address and can be saved, each person's for themselves."""

import pytest
from django.urls import reverse

from accounts.models import SavedFilter

pytestmark = pytest.mark.django_db

LIST = "admin:jobs_job_changelist"
SAVE = {"model": "jobs.job", "name": "Failed", "query": "status__exact=failed"}


class TestSavedFilters:
    def test_a_saved_filter_leads_back_to_its_list(self, signed_in, supporter):
        browser, url = signed_in(supporter), reverse("admin:console_filters")
        answer = browser.post(url, SAVE)
        assert answer["Location"] == f"{reverse(LIST)}?status__exact=failed"
        page = browser.get(reverse(LIST)).content.decode()
        assert '<a href="?status__exact=failed"' in page

    def test_it_is_its_owners_alone(self, signed_in, supporter, lead_supporter):
        signed_in(supporter).post(reverse("admin:console_filters"), SAVE)
        page = signed_in(lead_supporter).get(reverse(LIST)).content.decode()
        assert "saved-filters" not in page

    def test_it_can_be_forgotten(self, signed_in, supporter):
        browser, url = signed_in(supporter), reverse("admin:console_filters")
        browser.post(url, SAVE)
        browser.post(url, SAVE | {"forget": "on"})
        assert not SavedFilter.objects.exists()

    @pytest.mark.parametrize("model", ["", "nobody", "auth.permission", "x.y.z"])
    def test_a_list_that_is_none_is_not_found(self, signed_in, supporter, model):
        answer = signed_in(supporter).post(
            reverse("admin:console_filters"), SAVE | {"model": model}
        )
        assert answer.status_code == 404

    def test_a_list_that_one_may_not_see_is_refused(self, signed_in, triager):
        answer = signed_in(triager).post(
            reverse("admin:console_filters"), SAVE | {"model": "billing.receipt"}
        )
        assert answer.status_code == 403
