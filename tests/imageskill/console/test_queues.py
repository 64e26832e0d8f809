"""The page of queues: an indicator is red where staff should act, and says what to do."""

from datetime import timedelta

import pytest
from celery import current_app
from django.urls import reverse
from django.utils.html import escape

from billing.models import StripeEvent
from feedback.models import GithubRepository
from imageskill.lib import clock
from imageskill.lib.queue import QUEUES
from imageskill.lib.redis.client import RedisUnavailable, client
from imageskill.web import health
from jobs.models import Job
from tests.pages.conftest import made

pytestmark = pytest.mark.django_db


class Workers:
    """Stands in for what workers answer when they are asked, as celery gives it."""

    def __init__(self, **served):
        self.served = served

    def __call__(self, timeout):
        return self

    def active_queues(self):
        return {
            name: [{"name": queue} for queue in queues] for name, queues in self.served.items()
        } or None


@pytest.fixture
def workers(monkeypatch):
    """Have these workers answer: name=queues."""

    def answer(**served):
        monkeypatch.setattr(current_app.control, "inspect", Workers(**served))

    answer(one=QUEUES)
    return answer


@pytest.fixture
def indicators(signed_in, operator, workers):
    browser = signed_in(operator)

    def look():
        page = browser.get(reverse("admin:console_queues"))
        assert page.status_code == 200
        html = page.content.decode()
        for indicator in page.context_data["indicators"]:
            assert (escape(indicator.advice) in html) or not indicator.is_red
            if indicator.url:
                assert browser.get(indicator.url).status_code == 200, indicator.label
        return {indicator.label: indicator for indicator in page.context_data["indicators"]}

    return look


def record_heartbeats():
    for queue in QUEUES:
        health.record_heartbeat(queue)


def queued(agent, *, ago, **columns):
    then = clock.now() - ago
    job = made(agent)
    Job.objects.filter(pk=job.pk).update(
        **{
            "status": "queued",
            "completed_at": None,
            "credits_captured": None,
            "created_at": then,
            "sent_at": then,
            **columns,
        }
    )
    return job


def event(number, state, *, ago=timedelta(), took=None):
    came = clock.now() - ago
    return StripeEvent.objects.create(
        event_id=f"evt_{number}",
        type="charge.succeeded",
        is_live_mode=False,
        payload={},
        state=state,
        created_at=came,
        received_at=came,
        handled_at=took and came + took,
        next_attempt_at=came,
    )


class TestIndicators:
    def test_nothing_is_red_where_all_is_well(self, indicators, agent):
        record_heartbeats()
        queued(agent, ago=timedelta(seconds=2))
        event(1, "handled", took=timedelta(seconds=2))

        assert [indicator.label for indicator in indicators().values() if indicator.is_red] == []

    def test_missing_workers_and_heartbeats_are_red(self, indicators, workers, settings):
        workers()
        settings.CANARY_MAX_AGE_S = 0  # whatever heartbeat was recorded lately

        found = indicators()

        assert (found["Workers"].figure, found["Workers"].is_red) == ("0", True)
        assert found["Heartbeat of jobs"].is_red
        assert "Restart the worker" in found["Heartbeat of jobs"].advice

    def test_workers_are_counted_and_a_queue_without_a_worker_is_named(self, indicators, workers):
        workers(one=["default"], two=["default", "jobs"])

        indicator = indicators()["Workers"]

        assert indicator.is_red
        assert indicator.figure == "2; none consumes thumbnails"

    def test_a_broker_that_is_down_is_one_red_indicator(self, indicators, monkeypatch):
        def down(*args):
            raise RedisUnavailable

        monkeypatch.setattr(client(), "ping", down)

        found = indicators()

        assert found["Broker"].is_red
        assert "Workers" not in found

    def test_deep_queue_is_red(self, indicators):
        record_heartbeats()
        client().rpush("thumbnails", *range(501))

        found = indicators()

        assert found["Messages in thumbnails"].is_red
        assert found["Messages in thumbnails"].figure == "501"
        assert not found["Messages in jobs"].is_red

    def test_jobs_that_wait_are_red_only_when_nobody_sends_them(self, indicators, agent):
        queued(agent, ago=timedelta(seconds=40))
        found = indicators()
        assert found["Jobs waiting to be resent"].figure.startswith("1, ")
        assert not found["Jobs waiting to be resent"].is_red
        assert not found["Oldest queued job"].is_red

        Job.objects.update(sent_at=clock.now() - timedelta(hours=2, minutes=5))
        Job.objects.update(created_at=clock.now() - timedelta(hours=2, minutes=5))
        found = indicators()
        assert found["Jobs waiting to be resent"].is_red
        assert "2 h 5 min" in found["Jobs waiting to be resent"].figure
        assert found["Oldest queued job"].is_red
        assert "scheduler" in found["Jobs waiting to be resent"].advice

    def test_job_of_a_dead_worker_is_red_once_nobody_took_it_over(self, indicators, agent):
        job = queued(agent, ago=timedelta(minutes=5), status="running")
        Job.objects.update(leased_until=clock.now() - timedelta(seconds=5))
        assert not indicators()["Stalled jobs"].is_red

        Job.objects.filter(pk=job.pk).update(leased_until=clock.now() - timedelta(minutes=3))
        indicator = indicators()["Stalled jobs"]
        assert indicator.is_red
        assert "trouble=lease" in indicator.url


class TestWebhooks:
    def test_lag_is_that_of_the_last_handled_ones(self, indicators):
        event(1, "handled", took=timedelta(seconds=2))
        event(2, "handled", took=timedelta(seconds=4))
        event(3, "handled", took=timedelta(seconds=30))

        indicator = indicators()["Webhook to balance, last 3"]

        assert indicator.figure == "p50 4.0 s, max 30 s"
        assert not indicator.is_red

    def test_slow_waiting_and_failed_ones_are_red(self, indicators):
        event(1, "handled", took=timedelta(minutes=7))
        event(2, "received", ago=timedelta(minutes=3))
        event(3, "failed", ago=timedelta(minutes=3))

        found = indicators()

        assert found["Webhook to balance, last 1"].is_red
        assert found["Oldest waiting webhook"].is_red
        assert found["Oldest waiting webhook"].figure == "3 min"
        assert found["Failed Stripe webhooks"].is_red

    def test_who_may_not_see_payments_gets_no_link_to_them(self, signed_in, triager, workers):
        page = signed_in(triager).get(reverse("admin:console_queues"))
        by_label = {indicator.label: indicator for indicator in page.context_data["indicators"]}
        assert by_label["Failed Stripe webhooks"].url == ""
        assert by_label["Oldest queued job"].url


class TestGithub:
    def test_a_pause_for_a_fault_is_red_and_a_pause_for_a_limit_is_not(self, indicators):
        later = clock.now() + timedelta(minutes=5)
        repository = GithubRepository.objects.create(
            name="o/r", paused_until=later, pause_reason="daily_limit"
        )
        assert not indicators()["GitHub"].is_red

        GithubRepository.objects.filter(pk=repository.pk).update(pause_reason="credentials")
        assert indicators()["GitHub"].is_red
        assert indicators()["GitHub"].figure == "Paused: credentials"
