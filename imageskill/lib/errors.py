"""The errors that callers see: one class for each code of the contract.

A class alone decides HTTP status, exit code and whether a retry can help. Those that belong
to one rule are defined in the module that raises them; here are the shared ones.
"""

from typing import ClassVar, TypedDict


class Recovery(TypedDict, total=False):
    """What a caller can do next; commands are runnable and carry the caller's real ids."""

    required_flag: str
    required_flags: list[str]
    suggested_command: str
    docs_url: str
    retry_after_seconds: int
    idempotency_key: str
    top_up: dict[str, object]
    near_matches: list[str]


def wait_s(recovery: Recovery | None) -> int:
    """Return how long a caller should wait, for recovery and the header Retry-After alike."""
    return (recovery or {}).get("retry_after_seconds") or 1


class Detail(TypedDict):
    """One thing wrong with the input. Never the value: it may be a secret."""

    field: str
    message: str


class ApiError(Exception):
    """An answer that is no success; rendered into the envelope by `imageskill.web.api`."""

    code: ClassVar[str]
    status: ClassVar[int]
    exit_code: ClassVar[int]
    retryable: ClassVar[bool] = False
    message: ClassVar[str]

    def __init__(
        self,
        message: str | None = None,
        *,
        details: list[Detail] | None = None,
        recovery: Recovery | None = None,
    ) -> None:
        self.text = message or self.message
        self.details = details
        self.recovery = recovery
        super().__init__(self.text)


class InvalidArguments(ApiError):
    """The input is malformed, incomplete, or has an unknown field."""

    code = "INVALID_ARGUMENTS"
    status = 422
    exit_code = 2
    message = "The request is not valid; details name each field and what it takes."


class PayloadTooLarge(InvalidArguments):
    """The body is larger than this endpoint takes."""

    status = 413
    message = "The request body is too large for this endpoint."


class MethodNotAllowed(ApiError):
    """The path exists, the method doesn't."""

    code = "METHOD_NOT_ALLOWED"
    status = 405
    exit_code = 2
    message = "This path does not take that method."


class NotFound(ApiError):
    """No such route or thing, or not the caller's: the same answer for all three."""

    code = "NOT_FOUND"
    status = 404
    exit_code = 1
    message = "There is no such thing here, or it is not yours."


class IdempotencyConflict(ApiError):
    """The idempotency key was used before, for something else."""

    code = "IDEMPOTENCY_CONFLICT"
    status = 409
    exit_code = 2
    message = "This idempotency key was used with different arguments; use a fresh one."


class RateLimited(ApiError):
    """Too many requests in a while."""

    code = "RATE_LIMITED"
    status = 429
    exit_code = 5
    retryable = True
    message = "Too many requests; wait and try again."


class Timeout(ApiError):
    """It took longer than the caller or the service waits."""

    code = "TIMEOUT"
    status = 504
    exit_code = 8
    retryable = True
    message = "The operation did not finish in time."


class ServiceUnavailable(ApiError):
    """Something that this call needs is down or full; nothing was done."""

    code = "SERVICE_UNAVAILABLE"
    status = 503
    exit_code = 7
    retryable = True
    message = "The service can't take this call right now; nothing was done."


class DatabaseUnavailable(ServiceUnavailable):
    """The database can't be reached. What was committed before it went stays done."""

    message = "The database can't be reached right now. Try again, with the same idempotency key."

    def __init__(self) -> None:
        super().__init__(recovery={"retry_after_seconds": 5})


class InternalError(ApiError):
    """A defect of the service. Shows nothing but the trace id."""

    code = "INTERNAL_ERROR"
    status = 500
    exit_code = 1
    message = "Something broke on our side. Quote the trace id when you report it."
