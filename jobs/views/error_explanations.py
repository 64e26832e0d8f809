"""Refusals in a sponsor's words: what each error code means, and what they can do about it."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet

from accounts.models import Agent, TelemetryRow
from imageskill.lib import clock


@dataclass(frozen=True, slots=True)
class ErrorExplanation:
    """Why something was refused, and what helps."""

    why: str
    what_helps: str = ""


_EXPLANATIONS = {
    "CAPABILITY_DENIED": ErrorExplanation(
        "A grant, a cap or a stop forbids it.", "Change what it may do in its settings."
    ),
    "QUOTA_EXCEEDED": ErrorExplanation(
        "There were not enough credits, or credits are owed.", "Buy credits."
    ),
    "DAILY_JOB_LIMIT": ErrorExplanation("The day's jobs were used up.", "They turn at 00:00 UTC."),
    "RATE_LIMITED": ErrorExplanation(
        "It asked too often in a short time.", "It can try again by itself."
    ),
    "BUDGET_EXCEEDED": ErrorExplanation(
        "It would have cost more than the limit that the agent set itself."
    ),
    "BUDGET_REQUIRES_CONFIRMATION": ErrorExplanation(
        "The cost could not be known beforehand, and the agent had not agreed to that."
    ),
    "CONTENT_POLICY_DENIED": ErrorExplanation("The prompt breaks the content rules."),
    "INPUT_POLICY_DENIED": ErrorExplanation("The image it sent was not one that we take."),
    "MODEL_UNAVAILABLE": ErrorExplanation("The model it asked for can't run here."),
    "MODEL_PARAMETER_INVALID": ErrorExplanation("A parameter of the model was wrong."),
    "INVALID_ARGUMENTS": ErrorExplanation("The request was malformed."),
    "IDEMPOTENCY_CONFLICT": ErrorExplanation(
        "It used the key of an earlier request for another one."
    ),
    "PROVIDER_FAILURE": ErrorExplanation("The image service failed. Nothing was charged."),
    "PROVIDER_POLICY_DENIED": ErrorExplanation(
        "The image service refused the prompt. Nothing was charged."
    ),
    "PROVIDER_UNAVAILABLE": ErrorExplanation(
        "The image service was not available. Nothing was charged."
    ),
    "PROVIDER_OUTCOME_UNKNOWN": ErrorExplanation(
        "The connection broke while the image was made; our staff look into it."
    ),
    "ARTIFACT_STORAGE_WRITE_FAILED": ErrorExplanation(
        "The image was made and could not be stored. Nothing was charged."
    ),
    "TIMEOUT": ErrorExplanation("It took too long. Nothing was charged."),
    "PAYMENT_CREDENTIAL_REJECTED": ErrorExplanation(
        "It sent something that looks like card data or a secret. We kept none of it."
    ),
    "PAYMENT_METHOD_UNAVAILABLE": ErrorExplanation("That way to pay is not available here."),
    "QUOTE_EXPIRED": ErrorExplanation("The price it was quoted had expired."),
    "NOT_FOUND": ErrorExplanation("It asked for something that is not there, or not its own."),
    "AUTH_REQUIRED": ErrorExplanation(
        "Its token no longer works.", "Give it a new one in its settings."
    ),
}
_FALLBACK = ErrorExplanation("Something broke on our side. Nothing was charged.")


def explain(code: str) -> ErrorExplanation:
    """Explain one error code."""
    return _EXPLANATIONS.get(code, _FALLBACK)


def retention_period() -> timedelta:
    """Return how long refused requests are kept to be shown."""
    return timedelta(days=settings.KEEP_TELEMETRY_DAYS)


def failed_requests(agent: Agent) -> QuerySet[TelemetryRow]:
    """Return the agent's requests that were answered with an error, newest first."""
    rows: QuerySet[TelemetryRow] = (
        TelemetryRow.objects.filter(
            actor_id=agent.public_id, kind="request", at__gte=clock.now() - retention_period()
        )
        .exclude(error_code="")
        .order_by("-id")
    )
    return rows
