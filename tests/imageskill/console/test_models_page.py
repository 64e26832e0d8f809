"""Models, providers and settings as staff see them: price, health, and never a key."""

from datetime import timedelta

import pytest
from django.test import override_settings
from django.urls import reverse

from imageskill.console.operations import settings_page
from imageskill.lib import clock
from imageskill.lib.admin.formatting import display_duration
from jobs.catalog import switches
from jobs.models import Job, ModelDay
from jobs.providers import breaker, concurrency
from tests.pages.conftest import made

pytestmark = pytest.mark.django_db

SKETCH = "local.sketch"
FAL = "fal.flux-schnell"
SECRET = "sk_never_shown_4242"


@pytest.fixture(autouse=True)
def _nothing_is_off():
    yield
    switches.clear_cache()


@pytest.fixture
def catalog(signed_in, operator):
    browser = signed_in(operator)

    def look():
        page = browser.get(reverse("admin:console_models"))
        assert page.status_code == 200
        rows = {row["model"].id: row for row in page.context_data["rows"]}
        providers = {one["name"]: one for one in page.context_data["providers"]}
        return page.content.decode(), rows, providers

    return look


def queued(agent, model_id=SKETCH, provider_id="local"):
    job = made(agent)
    Job.objects.filter(pk=job.pk).update(
        status="queued",
        completed_at=None,
        credits_captured=None,
        model_id=model_id,
        provider_id=provider_id,
    )


class TestModels:
    def test_price_is_what_callers_are_told(self, catalog, api):
        html, rows, _ = catalog()
        for model_id in (SKETCH, next(one for one in rows if one.startswith("fal."))):
            told = api.get(f"/v1/models/{model_id}").data["model"]
            price = rows[model_id]["price"]
            assert price["credit_pricing"]["credits_required"] == told["credits_required"]
            usd = price["estimated_usd_per_image"]
            assert (usd is None) == (told["estimated_usd_per_image"] is None)
            if usd:
                assert str(usd) in html

    def test_what_stands_in_the_way_is_said_with_when_to_come_back(self, catalog, settings):
        settings.BREAKER_FAILURES = 1
        breaker.record_failure(SKETCH)

        html, rows, providers = catalog()

        left_s = rows[SKETCH]["unavailability"].retry_after_s
        assert 0 < left_s <= settings.BREAKER_PAUSE_S
        assert "its provider is failing" in html
        assert f"retry in {display_duration(left_s)}" in html
        assert providers["local"]["paused"] == [SKETCH]

    def test_failure_rate_and_time_are_of_the_last_days(self, catalog):
        today = clock.utc_day(clock.now())
        same = {"model_id": SKETCH, "provider_id": "local"}
        ModelDay.objects.create(day=today, completed=0, failed=1, **same)
        ModelDay.objects.create(
            day=today - timedelta(days=1), completed=7, failed=2, median_s=2.5, p95_s=75, **same
        )
        ModelDay.objects.create(day=today - timedelta(days=8), completed=0, failed=90, **same)

        html, rows, _ = catalog()

        week = rows[SKETCH]["week"]
        assert (week.completed, week.failed, week.failure_rate) == (7, 3, 0.3)
        assert "3 (30.0%)" in html
        assert "2.5 s / 1 min 15 s" in html

    def test_a_model_switched_off_with_queued_jobs_says_so(self, catalog, agent, operator):
        queued(agent)
        assert catalog()[1][SKETCH]["waiting"] == 0
        switches.set_enabled(kind="model", name=SKETCH, is_on=False, user=operator, reason="paper")
        switches.clear_cache()

        html, rows, _ = catalog()

        assert rows[SKETCH]["waiting"] == 1
        assert "1 queued" in html


class TestProviders:
    def test_credentials_and_seats_are_told_never_the_key(self, catalog, settings):
        settings.FAL_KEY, settings.OPENAI_API_KEY = SECRET, ""
        settings.PROVIDERS_ARE_STANDINS = False
        settings.LOCAL_CONCURRENCY = 8
        concurrency.acquire("local", "job_1", until=clock.now() + timedelta(minutes=1))

        html, _, providers = catalog()

        assert providers["fal"]["is_configured"]
        assert not providers["openai"]["is_configured"]
        assert (providers["local"]["in_use"], providers["local"]["most"]) == (1, 8)
        assert "1 of 8 concurrent requests" in html
        assert SECRET not in html


class TestSwitchingOff:
    @pytest.mark.parametrize(("kind", "name"), [("model", SKETCH), ("provider", "local")])
    def test_says_which_jobs_it_does_not_reach(self, signed_in, operator, agent, kind, name):
        queued(agent)
        queued(agent, model_id="fal.other", provider_id="fal")
        query = {"kind": kind, "name": name, "is_on": "0"}
        browser = signed_in(operator)

        html = browser.get(reverse("admin:console_switch", query=query)).content.decode()
        assert "1 queued, 0 started" in html

        Job.objects.update(status="failed", completed_at=clock.now(), error_code="TIMEOUT")
        html = browser.get(reverse("admin:console_switch", query=query)).content.decode()
        assert "It has no unfinished jobs" in html


class TestSettings:
    def test_names_and_values_are_shown_and_no_secret(self, signed_in, auditor):
        secrets = dict.fromkeys(settings_page.SECRETS, SECRET)
        with override_settings(**secrets, JOB_DEADLINE_S=901, GITHUB_LABELS=["a", "b"]):
            page = signed_in(auditor).get(reverse("admin:console_settings"))
        groups = dict(page.context_data["groups"])
        assert ("JOB_DEADLINE_S", "901") in groups["Jobs"]
        assert ("GITHUB_LABELS", "a, b") in groups["Feedback and GitHub"]
        assert ("FAL_KEY", "set") in groups["Secrets"]
        assert SECRET not in page.content.decode()

    def test_nothing_that_sounds_secret_is_shown_with_its_value(self):
        shown = [name for names in settings_page.GROUPS.values() for name in names]
        for word in ("KEY", "SECRET", "TOKEN", "PASSWORD", "REDIS", "DATABASE"):
            assert not [name for name in shown if word in name]

    def test_triage_may_not_look(self, signed_in, triager):
        assert signed_in(triager).get(reverse("admin:console_settings")).status_code == 403
