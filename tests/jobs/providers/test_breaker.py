import time

import pytest
import redis

from imageskill.dev.standins.faults import Fault
from jobs.providers import breaker, calls
from jobs.providers.failures import OUTCOME_UNKNOWN, UNAVAILABLE, ProviderError
from tests.jobs.providers.orders import order

MODEL, OTHER = "fal.flux-dev", "fal.nano-banana-2"


@pytest.fixture(autouse=True)
def _quick(settings):
    settings.BREAKER_FAILURES = 3
    settings.BREAKER_PAUSE_S = 1


def fail(times: int, model=MODEL):
    for _ in range(times):
        breaker.record_failure(model)


def refusal(model=MODEL) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        breaker.check(model)
    return caught.value


class TestBreaker:
    def test_few_failures_leave_it_closed(self):
        fail(2)

        breaker.check(MODEL)
        assert breaker.seconds_until_closed([MODEL]) == {}

    def test_repeated_failures_open_it_with_the_seconds_to_wait(self):
        fail(3)

        error = refusal()

        assert (error.failure, error.retry_after_s) == (UNAVAILABLE, 1)
        assert breaker.seconds_until_closed([MODEL, OTHER]) == {MODEL: 1}

    def test_each_model_has_its_own(self):
        fail(3)

        breaker.check(OTHER)

    def test_a_success_in_between_starts_the_count_again(self):
        fail(2)
        breaker.record_success(MODEL)
        fail(2)

        breaker.check(MODEL)

    def test_after_the_pause_one_call_may_try(self):
        fail(3)
        time.sleep(1.1)

        breaker.check(MODEL)

        assert refusal().reason == "breaker_half_open"
        assert breaker.seconds_until_closed([MODEL, OTHER]) == {MODEL: 1}

    def test_the_try_that_succeeds_closes_it(self):
        fail(3)
        time.sleep(1.1)
        breaker.check(MODEL)
        breaker.record_success(MODEL)

        breaker.check(MODEL)
        breaker.check(MODEL)

    def test_the_try_that_fails_opens_it_for_twice_as_long(self):
        fail(3)
        time.sleep(1.1)
        breaker.check(MODEL)
        fail(1)

        assert refusal().retry_after_s == 2

    def test_without_redis_everybody_is_let_through(self, monkeypatch):
        fail(3)
        nobody = redis.Redis.from_url("redis://127.0.0.1:9")
        monkeypatch.setattr(breaker, "client", lambda: nobody)

        breaker.check(MODEL)
        breaker.record_failure(MODEL)
        assert breaker.seconds_until_closed([MODEL]) == {}


class TestCalls:
    def submit(self, model=MODEL, **more):
        return calls.submit("fal", order(model, **more))

    def test_a_failing_provider_is_left_alone_after_a_while(self, providers):
        providers.faults.add(Fault(status=500, body={"detail": "x"}, times=None))
        for _ in range(3):
            with pytest.raises(ProviderError):
                self.submit()
        asked = len(providers.requests)

        with pytest.raises(ProviderError) as caught:
            self.submit()

        assert caught.value.failure is UNAVAILABLE
        assert len(providers.requests) == asked

    def test_orders_refused_for_their_own_sake_do_not_open_it(self, providers):
        for _ in range(4):
            with pytest.raises(ProviderError):
                self.submit(prompt="[blocked]")

        assert self.submit()

    def test_a_defect_of_an_adapter_leaves_the_outcome_unknown(self, providers, settings):
        settings.FAL_TIMEOUT_S = "no number"

        with pytest.raises(ProviderError) as caught:
            self.submit()
        assert (caught.value.failure, caught.value.reason) == (OUTCOME_UNKNOWN, "defect")

    def test_a_provider_without_a_key_is_not_called(self, providers, settings):
        settings.FAL_KEY = ""

        with pytest.raises(ProviderError) as caught:
            self.submit()
        assert caught.value.reason == "not_configured"
        assert not providers.requests
