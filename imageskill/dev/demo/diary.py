"""What staff of a made-up history did in earlier days, and what sponsors were told by mail.

The lines are those that the verbs write, with the moments at which they would have.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.models import Alert, AuditLine, User
from imageskill.dev.demo.sheets import Sheets


@dataclass(frozen=True, slots=True)
class Diary:
    """Writes lines of the audit and mails that were sent."""

    sheets: Sheets

    def note(
        self,
        user: User | None,
        action: str,
        subject: str,
        at: datetime,
        *,
        reason: str = "",
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Write one line of the audit; without a user the service itself did it."""
        self.sheets.add(
            AuditLine(
                at=at,
                user=user,
                actor=user.email if user else "system",
                action=action,
                subject=subject,
                reason=reason,
                before=None if before is None else dict(before),
                after=None if after is None else dict(after),
            )
        )

    def tell(
        self,
        user: User | None,
        kind: str,
        subject: str,
        at: datetime,
        *,
        cause: str,
        facts: Mapping[str, Any],
    ) -> None:
        """Write a mail to a sponsor, as sent; nobody is told where there is none."""
        if user is None:
            return
        self.sheets.add(
            Alert(
                key=f"{kind}:{cause}:{user.pk}",
                kind=kind,
                user=user,
                subject=subject,
                facts=dict(facts),
                created_at=at,
                mail_tried_at=at + timedelta(seconds=1),
                mailed_at=at + timedelta(seconds=2),
            )
        )
