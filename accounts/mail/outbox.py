"""The development outbox: emails written by the file backend, read back for a page."""

import email
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.policy import default as policy
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest

_SEPARATOR = "\n" + "-" * 79 + "\n"  # as django.core.mail.backends.console writes it
_MAX_MAILS = 50


@dataclass(frozen=True, slots=True)
class OutboxMail:
    """One email that was written to a file instead of being sent."""

    key: str
    to: str
    subject: str
    at: datetime
    text: str
    html: str


def list_mails() -> list[OutboxMail]:
    """Return the latest emails, newest first."""
    folder = Path(settings.EMAIL_FILE_PATH)
    files = sorted(folder.glob("*.log"), reverse=True)[:_MAX_MAILS] if folder.is_dir() else []
    return [mail for file in files for mail in _read(file)][:_MAX_MAILS]


def find(key: str) -> OutboxMail | None:
    """Return one email, or None."""
    return next((mail for mail in list_mails() if mail.key == key), None)


def expire(*, before: datetime) -> int:
    """Delete emails written before that time; return how many files."""
    folder = Path(getattr(settings, "EMAIL_FILE_PATH", None) or "-")
    expired = [file for file in folder.glob("*.log") if file.stat().st_mtime < before.timestamp()]
    for file in expired:
        file.unlink(missing_ok=True)
    return len(expired)


def link(request: HttpRequest) -> dict[str, bool]:
    """Return whether templates can link to an outbox page; a context processor."""
    return {"has_outbox": settings.HAS_OUTBOX_PAGE}


def _read(file: Path) -> Iterator[OutboxMail]:
    at = datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
    parts = file.read_text(encoding="utf-8").split(_SEPARATOR)
    for number, raw in enumerate(parts):
        if not raw.strip():
            continue
        message = email.message_from_bytes(raw.lstrip("\n").encode(), policy=policy)
        yield OutboxMail(
            key=f"{file.stem}-{number}",
            to=str(message["To"]),
            subject=str(message["Subject"]),
            at=at,
            text=_body(message, "plain"),
            html=_body(message, "html"),
        )


def _body(message: Message, kind: str) -> str:
    part = message.get_body((kind,)) if isinstance(message, EmailMessage) else None
    return str(part.get_content()) if isinstance(part, EmailMessage) else ""
