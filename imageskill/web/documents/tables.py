"""The tables in the documents, built from the code that defines each fact."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django.conf import settings

from accounts.event_types import EVENT_TYPES
from accounts.grants import GRANTS
from billing.api.offer_representations import pack_out
from billing.purchases import packs
from imageskill import __version__
from imageskill.cli.grammar import table
from imageskill.cli.grammar.spec import Command, Flag
from imageskill.lib.errors import ApiError
from jobs.assets import retention
from jobs.catalog import availability, discovery
from jobs.catalog.rows import ModelRow
from jobs.images import formats

EXIT_CODES = {
    0: "Success",
    1: "Other error",
    2: "Invalid arguments",
    3: "Authentication",
    4: "Not allowed or not available",
    5: "Quota, budget or rate limit",
    6: "Content or input policy",
    7: "Provider or network",
    8: "Timeout",
    9: "Files or storage",
}


def installation_context() -> dict[str, Any]:
    """Return what templates say of this installation; needs no database."""
    return {
        "version": __version__,
        "site": settings.PUBLIC_SITE_URL,
        "api": settings.PUBLIC_API_URL,
        "media": settings.PUBLIC_MEDIA_URL,
        "limits": _limits(),
    }


def template_context() -> dict[str, Any]:
    """Return the context of the documents' templates."""
    return {
        **installation_context(),
        "topics": [(topic, list(group)) for topic, group in groupby(list_commands(), _topic)],
        "exit_codes": EXIT_CODES,
        "errors": [_error(cls) for cls in sorted(error_classes(), key=lambda cls: cls.code)],
        "events": [_event(name) for name in EVENT_TYPES],
        "grants": GRANTS,
        "models": _models(),
        "packs": [pack_out(pack) for pack in packs.offered()],
        "mime_types": formats.MIME_TYPES,
    }


def error_classes() -> list[type[ApiError]]:
    """Return one class per code: the base class, where subclasses share its code."""
    by_code: dict[str, type[ApiError]] = {}
    for cls in _subclasses(ApiError):
        by_code.setdefault(cls.code, cls)
    return list(by_code.values())


def _subclasses(base: type[ApiError]) -> Iterator[type[ApiError]]:
    direct = base.__subclasses__()
    yield from (cls for cls in direct if hasattr(cls, "code"))
    for cls in direct:
        yield from _subclasses(cls)


def _error(cls: type[ApiError]) -> dict[str, Any]:
    when = " ".join((cls.__doc__ or "").split("\n\n")[0].split())
    return {
        "code": cls.code,
        "status": cls.status,
        "exit_code": cls.exit_code,
        "retryable": "yes" if cls.retryable else "no",
        "when": when,
    }


def _event(name: str) -> dict[str, Any]:
    event_type = EVENT_TYPES[name]
    return {
        "name": name,
        "subject": event_type.subject,
        "when": event_type.emitted_when,
        "links": ", ".join(f"`{link}`" for link in event_type.links),
    }


def list_commands() -> list[dict[str, Any]]:
    """Return every command with its flags, as people and programs read them."""
    return [_command(command) for command in table.COMMANDS]


def _topic(command: dict[str, Any]) -> str:
    return str(command["topic"])


def _command(command: Command) -> dict[str, Any]:
    endpoint = command.endpoint
    return {
        "label": command.label,
        "topic": command.topic,
        "usage": command.usage,
        "summary": command.summary,
        "notes": command.notes,
        "examples": command.examples,
        "aliases": [" ".join(("image-skill", *words)) for words in command.aliases],
        "endpoint": f"{endpoint.method} {endpoint.path}" if endpoint else "",
        "auth": command.auth,
        "is_local": command.is_local,
        "flags": [_flag(flag) for flag in command.flags if not flag.is_hidden],
    }


def _flag(flag: Flag) -> dict[str, Any]:
    name = f"--{flag.name} {flag.value}".strip()
    return {
        "name": f"{flag.value} or {name}" if flag.is_positional and flag.value else name,
        "help": flag.help,
        "is_required": flag.is_required,
        "is_repeatable": flag.is_repeatable,
        "choices": " or ".join(flag.choices),
    }


def _models() -> list[ModelRow]:
    return list(discovery.list_rows(availability.current(), settings.TARGET_GROSS_MARGIN))


def _limits() -> dict[str, int]:
    return {
        "preview_credits": settings.PREVIEW_CREDITS,
        "jobs_preview": settings.DAILY_JOBS_PREVIEW,
        "jobs_payment_backed": settings.DAILY_JOBS_PAYMENT_BACKED,
        "jobs_claimed": settings.DAILY_JOBS_CLAIMED,
        "outputs": settings.NEW_AGENT_OUTPUTS_PER_REQUEST,
        "credits_per_operation": settings.NEW_AGENT_CREDITS_PER_OPERATION,
        "upload_megabytes": settings.UPLOAD_BYTES // 1_000_000,
        "upload_days": settings.KEEP_UPLOADS_DAYS,
        "unused_upload_days": retention.unused_upload_days(),
        "wait_s": settings.CREATE_WAIT_S,
        "quote_minutes": settings.QUOTE_MINUTES,
        "custom_min": packs.MIN_CREDITS,
        "custom_max": packs.MAX_CREDITS,
    }
