"""The audit knows each export: who took which list, how narrowed, how many rows."""

from accounts import audit
from accounts.models import User


def record_download(
    *, user: User, model: str, query: str, kind: str, rows: int, is_exact: bool
) -> None:
    """Record in the audit that somebody downloads a list."""
    audit.record(
        user=user,
        action=f"export.{kind}",
        subject=model,
        reason=query[:1000],
        after={"rows": rows, "is_exact": is_exact},
    )
