"""The inbox of Stripe's events: kept once, handled in the transaction of its effects, replayable.

A failure is kept with its traceback and tried again, later and later. What an event does is
keyed by its cause, so that handling it a second time moves nothing.
"""

import json
import traceback
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction

from accounts import audit
from accounts.models import User
from billing.models import StripeEvent, Transfer
from billing.stripe import gateway
from billing.stripe.objects import Event
from billing.webhooks.handlers import HANDLERS, Handler
from imageskill.lib import clock
from imageskill.lib.queue import enqueue

log = structlog.get_logger(__name__)

HANDLE_TASK = "billing.handle_stripe_event"
# Stripe delivers for three days; we look back a little further.
LOOKBACK = timedelta(days=4)
FIRST_RETRY_AFTER = timedelta(minutes=1)
MAX_RETRY_DELAY = timedelta(hours=6)

_State = StripeEvent.State
_UNPROCESSED = (_State.RECEIVED, _State.FAILED)

# One statement, since an endpoint that answers 50 a second has no time for two.
_STORE_SQL = """
INSERT INTO billing_stripeevent AS kept
    (event_id, type, object_id, related_ids, is_live_mode, payload, state, outcome, error,
     attempts, deliveries, created_at, received_at, next_attempt_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, '', 0, 1, %s, %s, %s)
ON CONFLICT (event_id) DO UPDATE SET deliveries = kept.deliveries + 1
RETURNING deliveries
"""


@dataclass(frozen=True, slots=True)
class ReplayPreview:
    """What handling an event again would do: nothing, where it was applied already."""

    outcome: str
    transfers: list[Transfer]


def store(event: Event) -> bool:
    """Store an event and hand it to a worker; False if it was here before.

    Events of the other mode, of connected accounts and of types that nothing acts on are kept
    as ignored, with the reason.
    """
    now = clock.now()
    ignored = _ignore_reason(event)
    values: list[Any] = [
        event.id,
        event.type[:100],
        event.object_id,
        event.related_ids,
        event.is_live_mode,
        json.dumps(event.payload),
        _State.IGNORED if ignored else _State.RECEIVED,
        ignored,
        event.created_at,
        now,
        now + FIRST_RETRY_AFTER,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_STORE_SQL, values)
        [deliveries] = cursor.fetchone()
    is_new: bool = deliveries == 1
    if is_new and not ignored:
        enqueue(HANDLE_TASK, event_id=event.id)
    return is_new


def handle(*, event_id: str) -> None:
    """Act on a stored event, unless that was done; failures are stored, not raised."""
    event = StripeEvent.objects.get(event_id=event_id)
    if event.state not in _UNPROCESSED:
        return
    try:
        handler = HANDLERS[event.type]
        fetched = handler.read(_object(event))
        _apply(event, handler, fetched)
    except gateway.ForeignObject as foreign:
        _finish(event, _State.IGNORED, outcome=str(foreign))
    except Exception as error:  # noqa: BLE001 - whatever it is, the row keeps it and is retried
        _fail(event, error)


def preview(*, event_id: str) -> ReplayPreview:
    """Show what handling the event now would move, and move nothing."""
    event = StripeEvent.objects.get(event_id=event_id)
    handler = HANDLERS[event.type]
    fetched = handler.read(_object(event))
    newest = Transfer.objects.order_by("-id").values_list("id", flat=True).first() or 0
    with transaction.atomic():
        outcome = str(handler.apply(fetched))
        made = list(Transfer.objects.filter(id__gt=newest).order_by("id"))
        transaction.set_rollback(True)
    # What is still there after the rollback was somebody else's.
    others = set(Transfer.objects.filter(id__gt=newest).values_list("id", flat=True))
    return ReplayPreview(outcome, [transfer for transfer in made if transfer.pk not in others])


def dry_run(*, event_id: str, user: User, reason: str) -> ReplayPreview:
    """Show staff what handling the event now would move; the audit keeps who looked and why."""
    audit.record(user=user, action="stripe_event.dry_run", subject=event_id, reason=reason)
    return preview(event_id=event_id)


def replay(*, event_id: str, user: User, reason: str) -> str:
    """Handle a stored event again on behalf of staff; gives what came of it."""
    event = StripeEvent.objects.get(event_id=event_id)
    before = event.state
    handler = HANDLERS[event.type]
    fetched = handler.read(_object(event))
    with transaction.atomic():
        StripeEvent.objects.select_for_update().get(pk=event.pk)
        outcome = str(handler.apply(fetched))
        _finish(event, _State.HANDLED, outcome=outcome)
        audit.record(
            user=user,
            action="stripe_event.replay",
            subject=event_id,
            reason=reason,
            before={"state": before},
            after={"state": _State.HANDLED, "outcome": outcome},
        )
    return outcome


def fetch_undelivered() -> int:
    """Keep the events that Stripe could not deliver; gives how many were new."""
    since = clock.now() - LOOKBACK
    events = list(gateway.list_undelivered_events(since=since, types=sorted(HANDLERS)))
    known = StripeEvent.objects.filter(event_id__in=[event.id for event in events])
    seen = set(known.values_list("event_id", flat=True))
    return sum(store(event) for event in events if event.id not in seen)


def requeue_due(*, limit: int = 200) -> int:
    """Hand events to workers again whose handling is due: lost on the way, or failed before."""
    now = clock.now()
    waiting = list(StripeEvent.objects.waiting(now=now).values_list("event_id", flat=True)[:limit])
    StripeEvent.objects.filter(event_id__in=waiting, state__in=_UNPROCESSED).update(
        next_attempt_at=now + FIRST_RETRY_AFTER
    )
    for event_id in waiting:
        enqueue(HANDLE_TASK, event_id=event_id)
    return len(waiting)


def _ignore_reason(event: Event) -> str:
    is_live_here = gateway.environment() == "live"
    if event.is_live_mode != is_live_here:
        return "the other mode's"
    if event.payload.get("account"):
        return "a connected account's"
    return "" if event.type in HANDLERS else "nothing acts on this type"


def _object(event: StripeEvent) -> dict[str, object]:
    stripe_object = event.payload["data"]["object"]
    assert isinstance(stripe_object, dict)
    return stripe_object


def _apply(event: StripeEvent, handler: Handler, fetched: object) -> None:
    with transaction.atomic():
        locked = StripeEvent.objects.select_for_update().get(pk=event.pk)
        if locked.state in _UNPROCESSED:
            _finish(event, _State.HANDLED, outcome=str(handler.apply(fetched)))


def _finish(event: StripeEvent, state: str, *, outcome: str) -> None:
    StripeEvent.objects.filter(pk=event.pk).update(
        state=state,
        outcome=outcome[:200],
        error="",
        handled_at=clock.now() if state == _State.HANDLED else None,
        attempts=event.attempts + 1,
    )


def _fail(event: StripeEvent, error: Exception) -> None:
    log.warning("stripe_event_failed", event_id=event.event_id, error=type(error).__name__)
    StripeEvent.objects.filter(pk=event.pk, state__in=_UNPROCESSED).update(
        state=_State.FAILED,
        error="".join(traceback.format_exception(error))[-8000:],
        attempts=event.attempts + 1,
        next_attempt_at=_next_attempt(event.attempts + 1),
    )


def _next_attempt(attempts: int) -> datetime:
    """Wait half a minute, then twice as long each time, at most six hours."""
    return clock.now() + min(timedelta(seconds=30 * 2 ** min(attempts, 12)), MAX_RETRY_DELAY)
