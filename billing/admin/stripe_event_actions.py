"""Replaying received events: first dry, showing the ledger difference, then for real."""

from collections.abc import Callable, Sequence

from billing.models import StripeEvent
from billing.webhooks import inbox
from billing.webhooks.handlers import HANDLERS
from billing.webhooks.inbox import ReplayPreview
from imageskill.lib.admin.actions import ActionRefused, ActionRequest, RevealedSecret, StaffAction


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
        return (f"Handling it now would fail: {type(error).__name__}: {error}",)
    moves = [
        f"{transfer.credits} credits: {transfer.source} → {transfer.target} ({transfer.kind})"
        for transfer in replay_preview.transfers
    ]
    return (f"Outcome: {replay_preview.outcome}", *(moves or ["Nothing would move."]))


def _replay(event: StripeEvent, action: ActionRequest) -> str:
    try:
        outcome = inbox.replay(event_id=event.event_id, user=action.user, reason=action.reason)
    except Exception as error:
        raise ActionRefused(f"Handling it failed: {type(error).__name__}: {error}") from error
    return f"Handled again: {outcome}."


EVENT_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="dry-run",
        label="Replay as a dry run",
        permission=("accounts.event_dry_run", "accounts.event_replay"),
        preview=lambda _: ("Shows what handling it now would move in the ledger; moves nothing.",),
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
