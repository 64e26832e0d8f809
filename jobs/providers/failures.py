"""How a provider can fail, in one table: what the caller is told and what it means for the money.

Adapters raise `ProviderError` with a row of this table and nothing else; the job that called
looks at `failure` to decide between releasing the hold and keeping it.
"""

from dataclasses import dataclass
from decimal import Decimal

from imageskill.lib.errors import ApiError, Timeout
from jobs.providers import refusals


class ProviderFailure(ApiError):
    """The provider could not make the image."""

    code = "PROVIDER_FAILURE"
    status = 502
    exit_code = 7
    retryable = True
    message = "The provider could not complete this operation; nothing was charged."


class ProviderRefused(ProviderFailure):
    """The provider refused the request and would refuse it again."""

    retryable = False
    message = "The provider does not take this request; nothing was charged. Change it first."


class ProviderPolicyDenied(ApiError):
    """The provider's own policy refused the prompt, an input or the result."""

    code = "PROVIDER_POLICY_DENIED"
    status = 403
    exit_code = 6
    message = "The provider's content policy refused this operation; nothing was charged."


class ProviderUnavailable(ApiError):
    """The provider is failing, full or unreachable; no run was begun."""

    code = "PROVIDER_UNAVAILABLE"
    status = 503
    exit_code = 7
    retryable = True
    message = "The provider of this model can't take calls right now; nothing was charged."


class ProviderOutcomeUnknown(ApiError):
    """The call was cut off after it began: the provider may have run it, and billed it."""

    code = "PROVIDER_OUTCOME_UNKNOWN"
    status = 502
    exit_code = 7
    message = (
        "The provider was cut off mid-call and its outcome is unknown. "
        "Look at the job before you create again."
    )


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One way to fail; a row of the table names what is special about it."""

    name: str
    error: type[ApiError] = ProviderFailure
    is_ended: bool = True  # the job may end now and its hold go back
    is_retryable_before_acceptance: bool = False  # by the adapter itself: nothing was begun
    trips_breaker: bool = False  # tells of the provider's health, not of this one request


PERMANENT = Failure(name="permanent", error=ProviderRefused)
"""The provider understood and refused, and always would: a bad field, an image it can't read."""

OPERATOR = Failure(name="operator", trips_breaker=True)
"""Our account is at fault: key, balance, access. Every call would fail alike."""

TRANSIENT = Failure(name="transient", is_retryable_before_acceptance=True, trips_breaker=True)
"""The provider is busy or broken and said so before it took the request."""

NOT_SENT = Failure(name="not_sent", is_retryable_before_acceptance=True)
"""We could not read or convert an input just now, so the request never went out whole."""

BROKEN_RUN = Failure(name="broken_run", trips_breaker=True)
"""The provider took the request and failed at it, or delivered what can't be fetched or read.

An error of a server that answered at once (500, 502, 504) counts as this too: it is an answer,
and vendors don't bill what they answered with an error.
"""

POLICY = Failure(name="policy", error=ProviderPolicyDenied)
"""The provider's policy refused; some bill what they block."""

UNAVAILABLE = Failure(name="unavailable", error=ProviderUnavailable)
"""Nobody was called: the breaker is open, its concurrency is used up, or there is no key."""

TIMED_OUT = Failure(name="timeout", error=Timeout, trips_breaker=True)
"""The deadline passed while the provider was known to be at work; cancel, then end."""

OUTCOME_UNKNOWN = Failure(
    name="outcome_unknown", error=ProviderOutcomeUnknown, is_ended=False, trips_breaker=True
)
"""The call began and left no answer: never again, and the hold stays until staff end it."""

FAILURES = (
    PERMANENT,
    OPERATOR,
    TRANSIENT,
    NOT_SENT,
    BROKEN_RUN,
    POLICY,
    UNAVAILABLE,
    TIMED_OUT,
    OUTCOME_UNKNOWN,
)


class ProviderError(Exception):
    """A provider failed, in one of the ways of the table.

    `reason` is a short code of ours or the provider's (`http_503`, `moderation_blocked`) that
    staff may read; never the provider's text, which may quote the prompt. `cost_usd` is what
    the provider said it bills all the same; `is_billed` says that it bills a run which it calls
    completed, without saying how much. `refusal` is what it did not take, by its name in
    `jobs.providers.refusals`.
    """

    def __init__(
        self,
        failure: Failure,
        *,
        reason: str,
        cost_usd: Decimal | None = None,
        is_billed: bool = False,
        retry_after_s: int | None = None,
        refusal: str = "",
    ) -> None:
        self.failure = failure
        self.refusal = refusal or (refusals.REQUEST if failure is PERMANENT else "")
        self.reason = reason
        self.cost_usd = cost_usd
        self.is_billed = is_billed
        self.retry_after_s = retry_after_s
        super().__init__(f"{failure.name}: {reason}")
