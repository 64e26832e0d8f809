"""What a job may ask of a provider: submit, poll, collect, cancel.

None of it may run inside a transaction: each is a call to somebody else's machine. The circuit
breaker of each model is applied here, and a run that ends gives its place at the provider back
(ADR 7).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

import structlog
from django.utils.module_loading import import_string

from imageskill.lib import clock, metrics
from jobs.providers import breaker, concurrency
from jobs.providers.failures import (
    BROKEN_RUN,
    OUTCOME_UNKNOWN,
    TIMED_OUT,
    TRANSIENT,
    UNAVAILABLE,
    ProviderError,
)
from jobs.providers.interface import (
    Cancellation,
    Provider,
    ProviderRequest,
    ProviderResult,
    Submission,
)
from jobs.providers.vendors import VENDORS

log = structlog.get_logger(__name__)

MIN_PAUSE_S = 0.05
MAX_PAUSE_S = 2.0
PAUSE_SHARE = 0.03
"""Of the time a run has taken so far: what waiting adds stays small beside the run itself."""
MAX_FAILED_POLLS = 3


_stand_in: ContextVar[Provider | None] = ContextVar("provider", default=None)


@contextmanager
def answered_by(provider: Provider) -> Iterator[None]:
    """Have one provider answer for all, in this thread, within the block; for the demo history."""
    token = _stand_in.set(provider)
    try:
        yield
    finally:
        _stand_in.reset(token)


@lru_cache
def get_adapter(provider: str) -> Provider:
    """Return the adapter of a provider by its name in the registry."""
    adapter: Provider = import_string(VENDORS[provider].adapter)()
    return adapter


def _adapter(provider: str) -> Provider:
    return _stand_in.get() or get_adapter(provider)


def submit(
    provider: str, request: ProviderRequest, *, begin: Callable[[], bool] = lambda: True
) -> Submission | ProviderResult | None:
    """Begin a run, once. Raises `ProviderError`; after `OUTCOME_UNKNOWN` never call again.

    The caller holds a place at the provider (`concurrency.acquire`), which is given back here when
    the run has ended. `begin` runs last: it records that the provider is about to be called. Where
    it returns False nobody is called, and None is returned.
    """
    if not VENDORS[provider].is_configured:
        raise ProviderError(UNAVAILABLE, reason="not_configured")
    breaker.check(request.model_id)
    if not begin():
        concurrency.release(provider, request.job_id)
        return None
    try:
        with _measured(provider, "submit"):
            answer = _adapter(provider).submit(request)
    except ProviderError as error:
        _release(provider, request, error)
        raise
    except Exception as error:
        log.exception("adapter_defect", provider=provider)
        unknown = ProviderError(OUTCOME_UNKNOWN, reason="defect")
        _release(provider, request, unknown)
        raise unknown from error
    if isinstance(answer, ProviderResult):
        _release(provider, request)
    return answer


def poll(provider: str, submission: Submission, request: ProviderRequest) -> ProviderResult | None:
    """Poll a run once; return None while it goes on.

    A transient `ProviderError` means that the provider could not be asked: poll again.
    """
    concurrency.renew(provider, request.job_id)
    try:
        with _measured(provider, "poll"):
            outcome = _adapter(provider).poll(submission, request)
    except ProviderError as error:
        if error.failure is not TRANSIENT:
            _release(provider, request, error)
        raise
    except Exception as error:
        log.exception("adapter_defect", provider=provider)
        broken = ProviderError(BROKEN_RUN, reason="defect", is_billed=True)
        _release(provider, request, broken)
        raise broken from error
    if outcome is not None:
        _release(provider, request)
    return outcome


def collect(provider: str, submission: Submission, request: ProviderRequest) -> ProviderResult:
    """Wait for the outcome until the request's deadline. Raises `ProviderError`.

    A few polls in a row that fail for transient reasons are waited out.
    """
    began, failed_polls = time.monotonic(), 0
    while True:
        try:
            outcome = poll(provider, submission, request)
            failed_polls = 0
        except ProviderError as error:
            failed_polls += 1
            if error.failure is not TRANSIENT or failed_polls > MAX_FAILED_POLLS:
                raise
            outcome = None
        if outcome is not None:
            return outcome
        left_s = (request.deadline - clock.now()).total_seconds()
        if left_s <= 0:
            too_late = ProviderError(TIMED_OUT, reason="deadline")
            _release(provider, request, too_late)
            raise too_late
        pause_s = max(MIN_PAUSE_S, PAUSE_SHARE * (time.monotonic() - began))
        time.sleep(min(pause_s, MAX_PAUSE_S, left_s))


def cancel(provider: str, submission: Submission) -> Cancellation:
    """Cancel a run."""
    with _measured(provider, "cancel"):
        return _adapter(provider).cancel(submission)


@contextmanager
def _measured(provider: str, call: str) -> Iterator[None]:
    """Count and time a call; what it raises goes on."""
    began, outcome = time.perf_counter(), "ok"
    try:
        yield
    except ProviderError as error:
        outcome = error.failure.name
        raise
    except Exception:
        outcome = "defect"
        raise
    finally:
        metrics.PROVIDER_CALLS.labels(provider, call, outcome).inc()
        metrics.PROVIDER_SECONDS.labels(provider, call).observe(time.perf_counter() - began)


def _release(provider: str, request: ProviderRequest, error: ProviderError | None = None) -> None:
    """End the run's lease and tell the breaker what the end says of the provider.

    A request refused for its own sake was answered by a provider in good health.
    """
    concurrency.release(provider, request.job_id)
    if error is None or not error.failure.trips_breaker:
        breaker.record_success(request.model_id)
    else:
        breaker.record_failure(request.model_id)
