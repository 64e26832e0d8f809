"""Short answers for people at a terminal."""

from typing import Any

from imageskill.cli.printing.layout import columns, fields, flatten, paragraph
from imageskill.cli.printing.pages import PAGES

# What to show of an answer: a title, and where its value is. `[]` walks a list.
_FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    "create": (
        ("Image", "assets[].url"),
        ("Job", "job_id"),
        ("Status", "job.status"),
        ("Model", "request.selection.model"),
        ("Credits", "cost.credit_pricing.credits_required"),
        ("Provider cost, USD", "cost.estimated_usd"),
        ("Saved in", "downloads[].output_path"),
        ("Charged", "quota.consumed_credits"),
        ("Preview credits left", "quota.remaining_credits"),
        ("Paid credits left", "quota.payment_backed_remaining_credits"),
    ),
    "assets show": (
        ("Asset", "asset.asset_id"),
        ("URL", "asset.url"),
        ("Kind", "asset.kind"),
        ("Type", "asset.mime_type"),
        ("Width", "asset.width"),
        ("Height", "asset.height"),
        ("Job", "asset.job_id"),
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
        ("Bytes stored", "storage.used_bytes"),
        ("Bytes allowed", "storage.limit_bytes"),
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
    "signup": (
        ("Agent", "agent.name"),
        ("Id", "actor.actor_id"),
        ("Organization", "actor.organization_id"),
        ("Claim", "claim_state"),
        ("Token", "token"),
        ("Saved in", "storage.config_path"),
        ("Permissions", "grants"),
        ("Preview credits", "limits.remaining_credits"),
        ("Images per request", "limits.max_outputs_per_request"),
        ("Credits per operation", "limits.max_credits_per_operation"),
    ),
    "claim request": (
        ("Asked", "contact_redacted"),
        ("Claim", "claim_state"),
        ("Claim request", "claim_request_state"),
    ),
    "credits quote": (
        ("Quote", "quote_id"),
        ("Credits", "credits"),
        ("Price, cents", "price_amount_cents"),
        ("Currency", "currency"),
        ("Payment method", "accepted_payment_method"),
        ("Valid until", "expires_at"),
        ("Buy", "next_actions.recommended_buy.command"),
    ),
    "credits status": (
        ("Status", "state"),
        ("Credits", "quote.credits"),
        ("Receipt", "receipt.receipt_id"),
        ("Refunds", "refunds[].status"),
        ("Refund failed", "refunds[].failure"),
        ("Ask again in, s", "next.retry_after_seconds"),
    ),
    "feedback create": (
        ("Report", "feedback_id"),
        ("Status", "state"),
        ("Same as", "duplicate_of"),
    ),
    "trust": (
        ("Status", "summary.status"),
        ("Advice", "summary.selection_hint"),
        ("Server", "subject.api_base_url"),
        ("Server version", "versions.api"),
        ("Client", "subject.cli_version"),
        ("Health", "health.status"),
        ("Documents", "hosted_contracts.status"),
        ("Models that run", "models.executable"),
        ("Ran lately", "recent_runs[].model"),
    ),
    "version": (("Version", "version"),),
}
_FIELDS |= {
    "edit": _FIELDS["create"],
    "jobs wait": _FIELDS["jobs show"],
    "quota": _FIELDS["usage quota"],
    "credits status": (*_FIELDS["credits status"], *_FIELDS["usage quota"]),
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
    lines = _page(name, data) or _tables(data) or flatten(data)
    return "\n".join([*lines, *_notes(envelope)])


def _page(name: str, data: dict[str, Any]) -> list[str]:
    page = PAGES.get(name)
    return page(data) if page else _select_fields(data, _FIELDS.get(name, ()))


def _failure(error: dict[str, Any], envelope: dict[str, Any]) -> list[str]:
    recovery = error.get("recovery") or {}
    lines = paragraph(f"{error.get('message')} ({error.get('code')})")
    lines += [f"  {one.get('field')}: {one.get('message')}" for one in error.get("details") or []]
    if recovery.get("retry_after_seconds"):
        lines.append(f"Try again in {recovery['retry_after_seconds']} s.")
    if recovery.get("suggested_command"):
        lines.append(f"Try: {recovery['suggested_command']}")
    return [*lines, f"Trace: {envelope.get('trace_id')}", *_notes(envelope)]


def _notes(envelope: dict[str, Any]) -> list[str]:
    warnings = envelope.get("warnings") or []
    return [line for warning in warnings for line in paragraph(f"Note: {warning}")]


def _select_fields(data: dict[str, Any], wanted: tuple[tuple[str, str], ...]) -> list[str]:
    return [
        line for title, path in wanted for line in fields(title, _values_at(data, path.split(".")))
    ]


def _values_at(value: Any, path: list[str]) -> list[Any]:
    if not path:
        return [value]
    name, *rest = path
    found = value.get(name.removesuffix("[]")) if isinstance(value, dict) else None
    if name.endswith("[]"):
        return [one for item in found or [] for one in _values_at(item, rest)]
    return _values_at(found, rest)


def _tables(data: dict[str, Any]) -> list[str]:
    for name, headings in _COLUMNS.items():
        rows = data.get(name)
        if isinstance(rows, list):
            cells = [[row.get(heading) for heading in headings] for row in rows]
            lines = columns(headings, cells) if cells else ["Nothing yet."]
            return [*lines, *_left_out(data)]
    return []


def _left_out(data: dict[str, Any]) -> list[str]:
    """Say which rows a list leaves out, and the command that shows them."""
    left_out = (data.get("summary") or {}).get("left_out")
    if not left_out:
        return []
    return paragraph(f"{left_out['message']} See them: {left_out['suggested_command']}")
