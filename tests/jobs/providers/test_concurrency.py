"""The places that a provider has, and who waits for one."""

from datetime import timedelta

import pytest
import redis

from imageskill import programs
from imageskill.lib import clock
from imageskill.lib.queue import delivered_by
from imageskill.lib.redis.client import client
from jobs.providers import calls, concurrency
from jobs.providers.failures import ProviderError
from jobs.providers.vendors import VENDORS
from tests.jobs.providers.orders import order

MODEL = "fal.flux-dev"


@pytest.fixture
def sent():
    """The jobs that are sent to a worker, in order."""
    sent: list[str] = []
    with delivered_by(lambda name, arguments: sent.append(arguments["job_id"])):
        yield sent


def acquire(job_id, *, seconds=60.0):
    return concurrency.acquire("fal", job_id, until=clock.now() + timedelta(seconds=seconds))


class TestPlaces:
    @pytest.fixture(autouse=True)
    def two(self, settings):
        settings.FAL_CONCURRENCY = 2

    def test_no_more_runs_than_places(self):
        assert [acquire(f"job_{n}") for n in range(3)] == [True, True, False]
        assert concurrency.in_use("fal") == 2

    def test_a_job_that_has_one_keeps_it(self):
        assert [acquire("job_1") for _ in range(3)] == [True, True, True]
        assert concurrency.in_use("fal") == 1

    def test_of_another_provider_are_others(self):
        assert acquire("job_1")
        assert acquire("job_2")
        assert concurrency.acquire("xai", "job_3", until=clock.now() + timedelta(minutes=1))

    def test_one_that_nobody_renews_expires(self):
        acquire("job_1", seconds=-1)
        acquire("job_2", seconds=-1)

        assert acquire("job_3")

    def test_a_worker_whose_clock_is_wrong_frees_none_of_others(self, monkeypatch):
        acquire("job_1")
        acquire("job_2")
        real = clock.now
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=1))

        assert not acquire("job_3")

    def test_those_in_line_get_them_in_order(self, sent):
        for n in range(5):
            acquire(f"job_{n}")

        concurrency.release("fal", "job_1")
        assert sent == ["job_2"]
        assert acquire("job_2")
        assert not acquire("job_5"), "it must not pass those in line"
        concurrency.release("fal", "job_0")
        concurrency.release("fal", "job_2")

        assert sent == ["job_2", "job_3", "job_4"]

    def test_what_asks_again_keeps_its_turn(self, sent):
        for n in (0, 1, 2, 3, 2):
            acquire(f"job_{n}")

        concurrency.release("fal", "job_0")

        assert sent == ["job_2"]

    def test_one_in_line_that_ended_is_passed_over(self, sent):
        for n in range(4):
            acquire(f"job_{n}")
        concurrency.release("fal", "job_2")

        concurrency.release("fal", "job_0")

        assert sent == ["job_3"]

    def test_a_place_that_expired_goes_to_the_line_with_the_next_that_is_given_back(self, sent):
        acquire("job_0", seconds=0.05)
        for n in range(1, 5):
            acquire(f"job_{n}")
        while concurrency.in_use("fal") == 2:
            pass

        concurrency.release("fal", "job_1")

        assert sent == ["job_2", "job_3"]


class TestCalls:
    def test_a_run_that_ends_gives_its_place_back(self, providers, settings, sent):
        settings.FAL_CONCURRENCY = 1
        assert acquire("job_1")
        assert not acquire("job_2")
        submission = calls.submit("fal", order(MODEL))
        assert sent == []

        calls.collect("fal", submission, order(MODEL))

        assert sent == ["job_2"]

    def test_so_does_a_failed_submit(self, providers, settings, sent):
        settings.FAL_CONCURRENCY = 1
        assert acquire("job_1")
        assert not acquire("job_2")

        with pytest.raises(ProviderError):
            calls.submit("fal", order(MODEL, prompt="[blocked]"))

        assert sent == ["job_2"]

    def test_a_poll_renews_it(self, providers):
        providers.fal.seconds = 60
        acquire("job_1", seconds=5)
        submission = calls.submit("fal", order(MODEL))

        calls.poll("fal", submission, order(MODEL))

        [(_, ends)] = client().zrange("seats:fal", 0, -1, withscores=True)
        assert ends - client().time()[0] > concurrency.LEASE_S - 5


def test_without_redis_everybody_is_let_in(monkeypatch, settings):
    settings.FAL_CONCURRENCY = 0
    nobody = redis.Redis.from_url("redis://127.0.0.1:9")
    monkeypatch.setattr(concurrency, "client", lambda: nobody)

    assert acquire("job_1")
    concurrency.release("fal", "job_1")
    assert client().zcard("seats:fal") == 0


def test_a_worker_has_a_thread_for_each_run_that_all_providers_may_have():
    assert sum(vendor.max_concurrency for vendor in VENDORS.values()) < programs.JOB_THREADS
