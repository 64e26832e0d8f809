"""The audit: each change by a person leaves who, when, what and why."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from accounts.models import AuditLine, User
from imageskill.lib import trace


def record(
    *,
    user: User | None,
    action: str,
    subject: str,
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    actor: str = "system",
) -> AuditLine:
    """Write one line, inside the transaction of the change that it tells of.

    `subject` is the public id of what was changed. Values are names, states and amounts; never
    a prompt, a token or a key.
    """
    return AuditLine.objects.create(
        user=user,
        actor=user.email if user else actor,
        action=action,
        subject=subject,
        reason=reason,
        before=None if before is None else dict(before),
        after=None if after is None else dict(after),
        trace_id=trace.current(),
    )


def lines_about(subject: str, *, action: str) -> QuerySet[AuditLine]:
    """Return what was done to one thing, newest first."""
    return AuditLine.objects.filter(subject=subject, action=action).order_by("-id")
