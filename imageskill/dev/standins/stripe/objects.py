"""Stripe's objects by id, and the events that tell of them, behind one lock."""

import copy
import secrets
import string
import threading
import time
from collections.abc import Callable
from typing import Any

from imageskill.dev.standins.stripe.deliveries import WebhookDeliveries

StripeObject = dict[str, Any]

DAY_S = 86_400
_ALPHABET = string.ascii_letters + string.digits


class InvalidObjectState(Exception):
    """Stripe would refuse that in the state the object is in."""


class ObjectStore:
    """All objects by id and all events in order; whoever changes any holds the lock.

    Objects are dicts as Stripe's JSON has them, at the API version that the product pins. Names
    with an underscore in front are ours and never sent.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.objects: dict[str, StripeObject] = {}
        self.events: list[StripeObject] = []
        self.clock: Callable[[], float] = time.time
        self.deliveries = WebhookDeliveries()

    def now(self) -> int:
        """Return the moment that Stripe would write into an object now."""
        return int(self.clock())

    def state(self) -> StripeObject:
        """Return a copy of all objects and events, as JSON."""
        with self.lock:
            return copy.deepcopy({"objects": list(self.objects.values()), "events": self.events})

    def restore(self, state: StripeObject) -> None:
        """Take objects and events in, beside those that are here; the same ids are replaced."""
        with self.lock:
            self.objects.update({one["id"]: one for one in state["objects"]})
            known = {event["id"]: event for event in self.events}
            known.update({event["id"]: event for event in state["events"]})
            self.events = sorted(known.values(), key=lambda event: event["created"])

    def get(self, object_id: str) -> StripeObject:
        """Return a copy of an object; KeyError if there is none."""
        with self.lock:
            return copy.deepcopy(self.objects[object_id])

    def all(self, kind: str) -> list[StripeObject]:
        """Return copies of all objects of a kind, newest first."""
        with self.lock:
            found = [one for one in self.objects.values() if one["object"] == kind]
            return copy.deepcopy(found[::-1])

    def event(self, event_type: str) -> StripeObject:
        """Return the newest event of a type."""
        with self.lock:
            return next(one for one in reversed(self.events) if one["type"] == event_type)

    def resend(self, event_id: str) -> None:
        """Deliver an event once more."""
        with self.lock:
            event = {one["id"]: one for one in self.events}[event_id]
        self.deliveries.again(event)

    def add(self, one: StripeObject) -> StripeObject:
        """Keep a new object; give a copy."""
        with self.lock:
            self.objects[one["id"]] = one
            return copy.deepcopy(one)

    def tell(self, event_type: str, about: StripeObject) -> None:
        """Write an event about an object as it is now, and send it."""
        public = {name: value for name, value in about.items() if not name.startswith("_")}
        event = {
            "id": f"evt_{random_text(24)}",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": self.now(),
            "data": {"object": copy.deepcopy(public)},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": event_type,
        }
        self.events.append(event)
        self.deliveries.add(event)

    def move(
        self, kind: str, category: str, amount: int, source: StripeObject, *, fee: int = 0
    ) -> StripeObject:
        """Move the balance: an amount less a fee, because of another object."""
        now = self.now()
        return self.add(
            {
                "id": f"txn_{random_text(24)}",
                "object": "balance_transaction",
                "amount": amount,
                "available_on": now + 2 * DAY_S,
                "created": now,
                "currency": source["currency"],
                "exchange_rate": None,
                "fee": fee,
                "net": amount - fee,
                "reporting_category": category,
                "source": source["id"],
                "status": "pending",
                "type": kind,
            }
        )


def random_text(length: int) -> str:
    """Make the random part of an id."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
