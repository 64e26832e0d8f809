"""Short answers for people at a terminal."""

from typing import Any

# What to show of an answer: a title, and where its value is. `[]` walks a list.
_FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    "create": (
        ("Image", "assets[].url"),
        ("Job", "job_id"),
        ("Status", "job.status"),
        ("Model", "request.selection.model"),
        ("Credits", "cost.credit_pricing.credits_required"),
        ("Charged", "quota.consumed_credits"),
        ("Preview credits left", "quota.remaining_credits"),
        ("Paid credits left", "quota.payment_backed_remaining_credits"),
    ),
    "upload": (("Asset", "asset.asset_id"), ("URL", "asset.url"), ("Size", "upload.bytes")),
    "assets get": (("File", "download.output_path"), ("Bytes", "download.bytes")),
    "jobs show": (
        ("Job", "job.job_id"),
        ("Status", "job.status"),
        ("Image", "job.assets[].url"),
        ("Error", "job.error.message"),
    ),
    "usage quota": (
        ("Preview credits", "limits.remaining_credits"),
        ("Paid credits", "limits.payment_backed_remaining_credits"),
        ("Held", "limits.held_credits"),
        ("Balance due", "limits.owed_credits"),
        ("Jobs left today", "daily_jobs.remaining"),
        ("Resets at", "daily_jobs.resets_at"),
    ),
    "whoami": (
        ("Agent", "agent.name"),
        ("Id", "actor.actor_id"),
        ("Organization", "actor.organization_id"),
        ("Claim", "claim_state"),
        ("Permissions", "grants[]"),
    ),
    "credits buy": (
        ("Pay here", "checkout_handoff_url"),
        ("Credits", "credits"),
        ("Attempt", "payment_attempt_id"),
    ),
    "help": (
        ("Usage", "usage"),
        ("About", "summary"),
        ("Notes", "notes"),
        ("Flags", "flags[].shown"),
        ("Examples", "examples[]"),
        ("Commands", "commands[].shown"),
    ),
}
_FIELDS |= {
    "edit": _FIELDS["create"],
    "jobs wait": _FIELDS["jobs show"],
    "quota": _FIELDS["usage quota"],
    "auth status": (("Token from", "auth_source"), *_FIELDS["whoami"]),
}
# The columns of a list.
_COLUMNS = {
    "models": ("id", "status", "credits_required", "display_name"),
    "capabilities": ("id",),
    "packs": ("pack_id", "credits", "amount_usd", "display_name"),
    "methods": ("method_id", "status", "live_money"),
    "events": ("occurred_at", "type", "event_id", "summary"),
    "jobs": ("job_id", "status", "operation", "created_at"),
    "assets": ("asset_id", "kind", "mime_type", "url"),
}


def render(envelope: dict[str, Any]) -> str:
    """Render an envelope as a few lines."""
    if not envelope.get("ok"):
        return "\n".join(_failure(envelope.get("error") or {}, envelope))
    data = envelope.get("data") or {}
    name = str(envelope["command"]).removeprefix("image-skill").strip()
    lines = _select_fields(data, _FIELDS.get(name, ())) or _tables(data) or _flatten(data)
    return "\n".join([*lines, *_notes(envelope)])


def _failure(error: dict[str, Any], envelope: dict[str, Any]) -> list[str]:
    recovery = error.get("recovery") or {}
    lines = [f"{error.get('message')} ({error.get('code')})"]
    lines += [f"  {one.get('field')}: {one.get('message')}" for one in error.get("details") or []]
    if recovery.get("retry_after_seconds"):
        lines.append(f"Try again in {recovery['retry_after_seconds']} s.")
    if recovery.get("suggested_command"):
        lines.append(f"Try: {recovery['suggested_command']}")
    return [*lines, f"Trace: {envelope.get('trace_id')}", *_notes(envelope)]


def _notes(envelope: dict[str, Any]) -> list[str]:
    return [f"Note: {warning}" for warning in envelope.get("warnings") or []]


def _select_fields(data: dict[str, Any], fields: tuple[tuple[str, str], ...]) -> list[str]:
    lines = []
    for title, path in fields:
        found = [one for one in _values_at(data, path.split(".")) if one not in (None, "")]
        titles = [f"{title}:", *[""] * len(found)]  # once, above what belongs to it
        lines += [f"{shown:<22}{_text(one)}" for shown, one in zip(titles, found, strict=False)]
    return lines


def _values_at(value: Any, path: list[str]) -> list[Any]:
    if not path:
        return [value]
    name, *rest = path
    found = value.get(name.removesuffix("[]")) if isinstance(value, dict) else None
    if name.endswith("[]"):
        return [one for item in found or [] for one in _values_at(item, rest)]
    return _values_at(found, rest)


def _tables(data: dict[str, Any]) -> list[str]:
    for name, columns in _COLUMNS.items():
        rows = data.get(name)
        if isinstance(rows, list):
            cells = [[_text(row.get(column)) for column in columns] for row in rows]
            return _align(cells) or ["Nothing yet."]
    return []


def _align(rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _flatten(value: dict[str, Any], prefix: str = "") -> list[str]:
    lines = []
    for name, one in value.items():
        if isinstance(one, dict):
            lines += _flatten(one, f"{prefix}{name}.")
        elif one not in (None, [], ""):
            lines.append(f"{prefix + name + ':':<34} {_text(one)}")
    return lines


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    return "".join(character for character in str(value) if character.isprintable())
