"""The audit log: who changed what, when and why."""

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
    """Record a change, in the transaction that makes it.

    `subject` is the public id of what was changed. `before` and `after` hold names, states and
    amounts, never a prompt, a token or a key.
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
    """Return the entries about one subject, newest first."""
    return AuditLine.objects.filter(subject=subject, action=action).order_by("-id")
