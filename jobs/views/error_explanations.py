"""Refusals in a sponsor's words: what each error code means, and what they can do about it."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet

from accounts.models import Agent, TelemetryRow
from imageskill.lib import clock


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was refused, and what helps."""

    why: str
    what_helps: str = ""


_REASONS = {
    "CAPABILITY_DENIED": Reason(
        "A grant, a cap or a stop forbids it.", "Change what it may do in its settings."
    ),
    "QUOTA_EXCEEDED": Reason("There were not enough credits, or credits are owed.", "Buy credits."),
    "DAILY_JOB_LIMIT": Reason("The day's jobs were used up.", "They turn at 00:00 UTC."),
    "RATE_LIMITED": Reason("It asked too often in a short time.", "It can try again by itself."),
    "BUDGET_EXCEEDED": Reason("It would have cost more than the limit that the agent set itself."),
    "BUDGET_REQUIRES_CONFIRMATION": Reason(
        "The cost could not be known beforehand, and the agent had not agreed to that."
    ),
    "CONTENT_POLICY_DENIED": Reason("The prompt breaks the content rules."),
    "INPUT_POLICY_DENIED": Reason("The picture it sent was not one that we take."),
    "MODEL_UNAVAILABLE": Reason("The model it asked for can't run here."),
    "MODEL_PARAMETER_INVALID": Reason("A parameter of the model was wrong."),
    "INVALID_ARGUMENTS": Reason("The request was malformed."),
    "IDEMPOTENCY_CONFLICT": Reason("It used the key of an earlier request for another one."),
    "PROVIDER_FAILURE": Reason("The image service failed. Nothing was charged."),
    "PROVIDER_POLICY_DENIED": Reason("The image service refused the prompt. Nothing was charged."),
    "PROVIDER_UNAVAILABLE": Reason("The image service was not available. Nothing was charged."),
    "PROVIDER_OUTCOME_UNKNOWN": Reason(
        "The connection broke while the image was made; our staff look into it."
    ),
    "ARTIFACT_STORAGE_WRITE_FAILED": Reason(
        "The image was made and could not be stored. Nothing was charged."
    ),
    "TIMEOUT": Reason("It took too long. Nothing was charged."),
    "PAYMENT_CREDENTIAL_REJECTED": Reason(
        "It sent something that looks like card data or a secret. We kept none of it."
    ),
    "PAYMENT_METHOD_UNAVAILABLE": Reason("That way to pay is not available here."),
    "QUOTE_EXPIRED": Reason("The price it was quoted had expired."),
    "NOT_FOUND": Reason("It asked for something that is not there, or not its own."),
    "AUTH_REQUIRED": Reason("Its token no longer works.", "Give it a new one in its settings."),
}
_OTHER = Reason("Something broke on our side. Nothing was charged.")


def reason_of(code: str) -> Reason:
    """Explain one error code."""
    return _REASONS.get(code, _OTHER)


def kept() -> timedelta:
    """Say how long refused requests are kept to be shown."""
    return timedelta(days=settings.KEEP_TELEMETRY_DAYS)


def refused_requests(agent: Agent) -> QuerySet[TelemetryRow]:
    """Give the agent's requests that were answered with an error, newest first."""
    rows: QuerySet[TelemetryRow] = (
        TelemetryRow.objects.filter(
            actor_id=agent.public_id, kind="request", at__gte=clock.now() - kept()
        )
        .exclude(error_code="")
        .order_by("-id")
    )
    return rows
