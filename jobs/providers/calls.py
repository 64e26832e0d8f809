"""What a job may ask of a provider: submit, look, collect, cancel.

None of it may run inside a transaction: each is a call to somebody else's machine.
"""

import time
from functools import lru_cache

from django.utils.module_loading import import_string

from imageskill.lib import clock
from jobs.providers.failures import TIMED_OUT, ProviderError
from jobs.providers.port import PROVIDERS, Cancellation, Order, Outcome, Provider, Submission

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0


@lru_cache
def adapter(provider: str) -> Provider:
    """Give the adapter of a provider by its name in the registry."""
    made: Provider = import_string(PROVIDERS[provider])()
    return made


def submit(provider: str, order: Order) -> Submission | Outcome:
    """Begin a run, once. Raises `ProviderError`; after `OUTCOME_UNKNOWN` never call again."""
    return adapter(provider).submit(order)


def look(provider: str, submission: Submission, order: Order) -> Outcome | None:
    """Ask once for the outcome of a run; None while it goes on."""
    return adapter(provider).look(submission, order)


def collect(provider: str, submission: Submission, order: Order) -> Outcome:
    """Wait for the outcome until the order's deadline. Raises `ProviderError`."""
    pause_s = FIRST_PAUSE_S
    while (outcome := look(provider, submission, order)) is None:
        left_s = (order.deadline - clock.now()).total_seconds()
        if left_s <= 0:
            raise ProviderError(TIMED_OUT, reason="deadline")
        time.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * 1.4, LONGEST_PAUSE_S)
    return outcome


def cancel(provider: str, submission: Submission) -> Cancellation:
    """Ask the provider to stop a run."""
    return adapter(provider).cancel(submission)
