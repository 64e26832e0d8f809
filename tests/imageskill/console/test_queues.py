"""The lights of the queues: red where somebody should act, with what to do and where to look."""

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
def lights(signed_in, operator, workers):
    browser = signed_in(operator)

    def look():
        page = browser.get(reverse("admin:console_queues"))
        assert page.status_code == 200
        html = page.content.decode()
        for light in page.context_data["lights"]:
            assert (escape(light.advice) in html) or not light.is_red
            if light.url:
                assert browser.get(light.url).status_code == 200, light.label
        return {light.label: light for light in page.context_data["lights"]}

    return look


def sing():
    for queue in QUEUES:
        health.record_heartbeat(queue=queue)


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


class TestLights:
    def test_nothing_is_red_where_all_is_well(self, lights, agent):
        sing()
        queued(agent, ago=timedelta(seconds=2))
        event(1, "handled", took=timedelta(seconds=2))

        assert [light.label for light in lights().values() if light.is_red] == []

    def test_silent_workers_and_canaries_are_red(self, lights, workers, settings):
        workers()
        settings.CANARY_MAX_AGE_S = 0  # whatever may have sung lately

        found = lights()

        assert (found["Workers"].figure, found["Workers"].is_red) == ("0", True)
        assert found["Canary of jobs"].is_red
        assert "Restart the worker" in found["Canary of jobs"].advice

    def test_workers_are_counted_and_a_queue_that_nobody_takes_is_named(self, lights, workers):
        workers(one=["default"], two=["default", "jobs"])

        light = lights()["Workers"]

        assert light.is_red
        assert light.figure == "2, none of them takes thumbnails"

    def test_a_broker_that_is_down_is_one_red_light(self, lights, monkeypatch):
        def down(*args):
            raise RedisUnavailable

        monkeypatch.setattr(client(), "ping", down)

        found = lights()

        assert found["Broker"].is_red
        assert "Workers" not in found

    def test_deep_queue_is_red(self, lights):
        sing()
        client().rpush("thumbnails", *range(501))

        found = lights()

        assert found["Messages in thumbnails"].is_red
        assert found["Messages in thumbnails"].figure == "501"
        assert not found["Messages in jobs"].is_red

    def test_jobs_that_wait_are_red_only_when_nobody_sends_them(self, lights, agent):
        queued(agent, ago=timedelta(seconds=40))
        found = lights()
        assert found["Jobs waiting to be sent again"].figure.startswith("1, ")
        assert not found["Jobs waiting to be sent again"].is_red
        assert not found["Oldest queued job"].is_red

        Job.objects.update(sent_at=clock.now() - timedelta(hours=2, minutes=5))
        Job.objects.update(created_at=clock.now() - timedelta(hours=2, minutes=5))
        found = lights()
        assert found["Jobs waiting to be sent again"].is_red
        assert "2 h 5 min" in found["Jobs waiting to be sent again"].figure
        assert found["Oldest queued job"].is_red
        assert "scheduler" in found["Jobs waiting to be sent again"].advice

    def test_job_of_a_dead_worker_is_red_once_nobody_took_it_over(self, lights, agent):
        job = queued(agent, ago=timedelta(minutes=5), status="running")
        Job.objects.update(leased_until=clock.now() - timedelta(seconds=5))
        assert not lights()["Stalled jobs"].is_red

        Job.objects.filter(pk=job.pk).update(leased_until=clock.now() - timedelta(minutes=3))
        light = lights()["Stalled jobs"]
        assert light.is_red
        assert "trouble=lease" in light.url


class TestWebhooks:
    def test_lag_is_that_of_the_last_handled_ones(self, lights):
        event(1, "handled", took=timedelta(seconds=2))
        event(2, "handled", took=timedelta(seconds=4))
        event(3, "handled", took=timedelta(seconds=30))

        light = lights()["Webhook to balance, last 3"]

        assert light.figure == "4.0 s (median), 30 s (longest)"
        assert not light.is_red

    def test_slow_waiting_and_failed_ones_are_red(self, lights):
        event(1, "handled", took=timedelta(minutes=7))
        event(2, "received", ago=timedelta(minutes=3))
        event(3, "failed", ago=timedelta(minutes=3))

        found = lights()

        assert found["Webhook to balance, last 1"].is_red
        assert found["Webhooks waiting, oldest"].is_red
        assert found["Webhooks waiting, oldest"].figure == "3 min"
        assert found["Stripe events that failed"].is_red

    def test_who_may_not_see_payments_gets_no_link_to_them(self, signed_in, triager, workers):
        page = signed_in(triager).get(reverse("admin:console_queues"))
        by_label = {light.label: light for light in page.context_data["lights"]}
        assert by_label["Stripe events that failed"].url == ""
        assert by_label["Oldest queued job"].url


class TestGithub:
    def test_resting_for_a_fault_is_red_for_a_limit_it_is_not(self, lights):
        later = clock.now() + timedelta(minutes=5)
        repository = GithubRepository.objects.create(
            name="o/r", paused_until=later, pause_reason="daily_limit"
        )
        assert not lights()["GitHub"].is_red

        GithubRepository.objects.filter(pk=repository.pk).update(pause_reason="credentials")
        assert lights()["GitHub"].is_red
        assert lights()["GitHub"].figure == "Paused: credentials"
