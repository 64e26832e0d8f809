"""The inbox of Stripe's events: what is stored, and what handling one does (docs/adr/0013).

What an event does is keyed by its cause, so that handling it a second time moves nothing.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db import transaction

from accounts import audit
from accounts.models import User
from billing.models import StripeEvent, Transfer
from billing.stripe import gateway, ownership
from billing.stripe.objects import Event
from billing.webhooks.handlers import HANDLERS
from imageskill.lib import clock, inbox

HANDLE_TASK = StripeEvent.TASK
# As far as Stripe's list of events goes back, less a day: looking further would cost nothing.
LOOKBACK = timedelta(days=29)


@dataclass(frozen=True, slots=True)
class ReplayPreview:
    """What handling an event again would do: nothing, where it was applied already."""

    outcome: str
    transfers: list[Transfer]


class UnknownToStripe(Exception):
    """Stripe answers that there is no such object; asking again would not change that."""


def store(event: Event) -> bool:
    """Store an event and hand it to a worker; False if it was here before.

    Events of the other mode, of connected accounts and of types that nothing acts on are stored
    as ignored, with the reason.
    """
    reason = _ignore_reason(event)
    return inbox.store(
        StripeEvent(
            event_id=event.id,
            type=event.type[:100],
            object_id=event.object_id,
            related_ids=event.related_ids,
            is_live_mode=event.is_live_mode,
            payload=event.payload,
            state=StripeEvent.State.IGNORED if reason else StripeEvent.State.RECEIVED,
            outcome=reason,
            created_at=event.created_at,
        )
    )


def handle(*, event_id: str) -> None:
    """Handle a stored event, unless that was done; failures are stored, not raised."""
    event = StripeEvent.objects.get(event_id=event_id)
    inbox.handle(
        event,
        prepare=_prepare,
        ignored=(ownership.ForeignObject,),
        hopeless=(UnknownToStripe,),
    )


def preview(*, event_id: str) -> ReplayPreview:
    """Show what handling the event now would move, and move nothing."""
    effect = _prepare(StripeEvent.objects.get(event_id=event_id))
    newest = Transfer.objects.order_by("-id").values_list("id", flat=True).first() or 0

    def observe() -> ReplayPreview:
        outcome = str(effect())
        return ReplayPreview(outcome, list(Transfer.objects.filter(id__gt=newest).order_by("id")))

    seen = inbox.dry_run(observe)
    # What is still there after the rollback was committed by somebody else meanwhile.
    others = set(Transfer.objects.filter(id__gt=newest).values_list("id", flat=True))
    own = [transfer for transfer in seen.transfers if transfer.pk not in others]
    return ReplayPreview(seen.outcome, own)


def dry_run(*, event_id: str, user: User, reason: str) -> ReplayPreview:
    """Show staff what handling the event now would move; the audit records who and why."""
    audit.record(user=user, action="stripe_event.dry_run", subject=event_id, reason=reason)
    return preview(event_id=event_id)


def replay(*, event_id: str, user: User, reason: str) -> str:
    """Handle a stored event again on behalf of staff; return the outcome."""
    event = StripeEvent.objects.get(event_id=event_id)
    effect = _prepare(event)  # before the transaction: it may call Stripe
    with transaction.atomic():
        former_state, outcome = inbox.replay(event, effect=effect)
        audit.record(
            user=user,
            action="stripe_event.replay",
            subject=event_id,
            reason=reason,
            before={"state": former_state},
            after={"state": StripeEvent.State.HANDLED, "outcome": outcome},
        )
    return outcome


def fetch_undelivered() -> int:
    """Store the events that Stripe could not deliver; return how many were new."""
    since = clock.now() - LOOKBACK
    events = list(gateway.list_undelivered_events(since=since, types=sorted(HANDLERS)))
    # Stripe lists an event as undelivered until its webhook is answered, which may never be:
    # storing it anew at each look would count deliveries that never were.
    known = StripeEvent.objects.filter(event_id__in=[event.id for event in events])
    seen = set(known.values_list("event_id", flat=True))
    return sum(store(event) for event in events if event.id not in seen)


def requeue_due() -> int:
    """Queue due events again: their message was lost, or they failed before."""
    return inbox.requeue_due(StripeEvent)


def _ignore_reason(event: Event) -> str:
    not_handled = "" if event.type in HANDLERS else "nothing acts on this type"
    return ownership.foreign_event_reason(event) or not_handled


def _prepare(event: StripeEvent) -> inbox.Effect:
    """Read what the event is about as it is at Stripe now; the effect applies it."""
    handler = HANDLERS[event.type]
    if not event.object_id:
        raise UnknownToStripe("The event names no object.")
    try:
        fetched = handler.read(event.payload["data"]["object"])
    except gateway.PaymentProviderFailure as failure:
        if failure.is_missing:
            raise UnknownToStripe(f"Stripe knows no {event.object_id}") from failure
        raise
    return partial(handler.apply, fetched)
