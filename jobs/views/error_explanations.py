"""Error codes explained to a sponsor: what each means, and what to do about it."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet

from accounts.models import Agent, TelemetryRow
from imageskill.lib import clock


@dataclass(frozen=True, slots=True)
class ErrorExplanation:
    """Why a request was refused or a job failed, and what to do about it."""

    reason: str
    solution: str = ""


_EXPLANATIONS = {
    "CAPABILITY_DENIED": ErrorExplanation(
        "A missing permission, a limit or a suspension blocked it.", "Review the agent's settings."
    ),
    "QUOTA_EXCEEDED": ErrorExplanation(
        "There were not enough credits, a balance is due, or the storage is full.",
        "Buy credits, or delete images that are no longer needed.",
    ),
    "DAILY_JOB_LIMIT": ErrorExplanation(
        "The daily job limit was reached.", "It resets at 00:00 UTC."
    ),
    "RATE_LIMITED": ErrorExplanation(
        "The agent sent too many requests.", "It can retry on its own."
    ),
    "BUDGET_EXCEEDED": ErrorExplanation(
        "The cost was above the budget that the agent set in its request."
    ),
    "BUDGET_REQUIRES_CONFIRMATION": ErrorExplanation(
        "The cost could not be estimated, and the agent had not accepted an unknown cost."
    ),
    "CONTENT_POLICY_DENIED": ErrorExplanation("The prompt violates the content policy."),
    "INPUT_POLICY_DENIED": ErrorExplanation("The input image is not accepted."),
    "MODEL_UNAVAILABLE": ErrorExplanation("The requested model is not available."),
    "MODEL_PARAMETER_INVALID": ErrorExplanation("A model parameter was invalid."),
    "INVALID_ARGUMENTS": ErrorExplanation("The request was invalid."),
    "IDEMPOTENCY_CONFLICT": ErrorExplanation(
        "The idempotency key was already used for a different request."
    ),
    "PROVIDER_FAILURE": ErrorExplanation("The provider failed. Nothing was charged."),
    "PROVIDER_POLICY_DENIED": ErrorExplanation(
        "The provider rejected the prompt. Nothing was charged."
    ),
    "PROVIDER_UNAVAILABLE": ErrorExplanation(
        "The provider was not available. Nothing was charged."
    ),
    "PROVIDER_OUTCOME_UNKNOWN": ErrorExplanation(
        "The connection to the provider was lost. Our staff are checking the outcome."
    ),
    "ARTIFACT_STORAGE_WRITE_FAILED": ErrorExplanation(
        "The image was generated but could not be stored. Nothing was charged."
    ),
    "TIMEOUT": ErrorExplanation("The job timed out. Nothing was charged."),
    "PAYMENT_CREDENTIAL_REJECTED": ErrorExplanation(
        "The request contained what looks like card data or a secret. It was not stored."
    ),
    "PAYMENT_METHOD_UNAVAILABLE": ErrorExplanation("This payment method is not available."),
    "QUOTE_EXPIRED": ErrorExplanation("The quote had expired."),
    "NOT_FOUND": ErrorExplanation("What it requested does not exist or is not its own."),
    "AUTH_REQUIRED": ErrorExplanation(
        "The token is no longer valid.", "Rotate the token in the agent's settings."
    ),
}
_FALLBACK = ErrorExplanation("An internal error occurred. Nothing was charged.")


def explain(code: str) -> ErrorExplanation:
    """Return the explanation of an error code."""
    return _EXPLANATIONS.get(code, _FALLBACK)


def retention_period() -> timedelta:
    """Return how long refused requests are kept."""
    return timedelta(days=settings.KEEP_TELEMETRY_DAYS)


def failed_requests(agent: Agent) -> QuerySet[TelemetryRow]:
    """Return the agent's requests that returned an error, newest first."""
    rows: QuerySet[TelemetryRow] = (
        TelemetryRow.objects.filter(
            actor_id=agent.public_id, kind="request", at__gte=clock.now() - retention_period()
        )
        .exclude(error_code="")
        .order_by("-id")
    )
    return rows
