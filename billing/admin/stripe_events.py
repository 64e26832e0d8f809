"""Stripe's events in the console: what became of each, and replaying it with a preview."""

from collections.abc import Callable, Sequence

from django.contrib import admin

from billing.models import StripeEvent
from billing.webhooks import inbox
from billing.webhooks.handlers import HANDLERS
from billing.webhooks.inbox import ReplayPreview
from imageskill.lib.admin.actions import ActionRefused, ActionRequest, RevealedSecret, StaffAction
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.filters import DistinctValuesFilter
from imageskill.lib.admin.formatting import format_count


def _dry_run(event: StripeEvent, action: ActionRequest) -> RevealedSecret:
    shown = _describe(
        lambda: inbox.dry_run(event_id=event.event_id, user=action.user, reason=action.reason)
    )
    return RevealedSecret(text="\n".join(shown), seconds=600)


def _preview(event: StripeEvent) -> Sequence[str]:
    return _describe(lambda: inbox.preview(event_id=event.event_id))


def _describe(load_preview: Callable[[], ReplayPreview]) -> Sequence[str]:
    try:
        replay_preview = load_preview()
    except Exception as error:  # noqa: BLE001 - whatever handling raises is what staff must see
        return (f"A replay would fail: {type(error).__name__}: {error}",)
    moves = [
        f"{format_count(transfer.credits, 'credit')} ({transfer.get_kind_display()}): "
        f"{transfer.source} → {transfer.target}"
        for transfer in replay_preview.transfers
    ]
    return (f"Outcome: {replay_preview.outcome}", *(moves or ["No credits would move."]))


def _replay(event: StripeEvent, action: ActionRequest) -> str:
    try:
        outcome = inbox.replay(event_id=event.event_id, user=action.user, reason=action.reason)
    except Exception as error:
        raise ActionRefused(f"The replay failed: {type(error).__name__}: {error}") from error
    return f"Replayed: {outcome}."


_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="dry-run",
        label="Replay (dry run)",
        permission=("accounts.event_dry_run", "accounts.event_replay"),
        preview=lambda _: ("Shows which credits a replay would move. Nothing is posted.",),
        perform=_dry_run,
        is_open=lambda event: event.type in HANDLERS,
    ),
    StaffAction(
        name="replay",
        label="Replay",
        permission="accounts.event_replay",
        preview=_preview,
        perform=_replay,
        is_open=lambda event: event.type in HANDLERS,
        is_sensitive=True,
    ),
)


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnlyAdmin):
    """One received event and what became of it."""

    object_actions = _ACTIONS

    view_permission = "accounts.see_payments"
    empty_text = (
        "Events appear here once Stripe sends their webhook, one for each step of a payment."
    )
    copyable_fields = ("event_id", "object_id", "related_ids")
    labels = {"state": "status"}
    export_also = ("created_at",)
    list_display = (
        "type",
        "state",
        "object_id",
        "deliveries",
        "attempts",
        "outcome",
        "received_at",
    )
    list_filter = ("state", ("type", DistinctValuesFilter))
    search_fields = ("event_id__exact", "object_id__exact", "related_ids__contains")
    search_help_text = (
        "evt_, or any id that its object has or names: cs_, pi_, ch_, re_, du_, payatt_"
    )
    fields = (
        "event_id",
        "type",
        "state",
        "outcome",
        "error",
        "object_id",
        "related_ids",
        "is_live_mode",
        "deliveries",
        "attempts",
        "received_at",
        "handled_at",
        "next_attempt_at",
        "payload",
    )
