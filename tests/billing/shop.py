"""A shop for tests: Stripe's stand-in over HTTP, webhooks as Stripe posts them, races."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from billing.ledger import checks
from billing.models import PaymentAttempt, Quote, Receipt, StripeEvent
from billing.purchases import buyers, checkout, quotes
from billing.webhooks import inbox
from imageskill.dev.standins.server import serve
from imageskill.dev.standins.stripe import StripeAccount, StripeStandIn
from imageskill.dev.standins.stripe.deliveries import sign_event

SECRET = "whsec_for_tests"
OLD_SECRET = "whsec_being_replaced"


@dataclass
class Shop:
    """The stand-in and its account; buying, and being told about it."""

    stand_in: StripeStandIn
    base_url: str

    @property
    def account(self) -> StripeAccount:
        return self.stand_in.account

    def quote(self, buyer: Any, credits: int = 500, *, key: str = "quote-1") -> Quote:
        return quotes.create(
            buyer=buyers.agent_buyer(buyer.agent),
            payment_method="stripe_checkout",
            credits=credits,
            idempotency_key=key,
        )

    def attempt(self, buyer: Any, credits: int = 500, *, key: str = "buy-1") -> PaymentAttempt:
        quote = self.quote(buyer, credits, key=f"quote-for-{key}")
        return checkout.open_session(
            buyer=buyers.agent_buyer(buyer.agent), quote_id=quote.public_id, idempotency_key=key
        )

    def events(self, prefix: str = "checkout.") -> list[dict[str, Any]]:
        return [event for event in self.account.events if event["type"].startswith(prefix)]

    def post(self, event: dict[str, Any], *, secret: str = SECRET, at: float | None = None):
        body, headers = sign_event(event, secret=secret, at=at)
        return self.post_raw(body, headers["Stripe-Signature"])

    def post_raw(self, body: bytes, signature: str):
        return Client().post(
            "/webhooks/stripe",
            data=body,
            content_type="application/json",
            headers={"Stripe-Signature": signature},
        )

    def tell(self, *events: dict[str, Any]) -> None:
        """Deliver events and let a worker handle them."""
        for event in events or self.events():
            assert self.post(event).status_code == 200
            inbox.handle(event_id=event["id"])

    def outcome(self, event: dict[str, Any]) -> StripeEvent:
        return StripeEvent.objects.get(event_id=event["id"])


@pytest.fixture
def shop(settings: Any) -> Iterator[Shop]:
    """A shop whose events nobody delivers but the test."""
    stand_in = StripeStandIn()
    with serve(stand_in) as base_url:
        settings.STRIPE_API_BASE_URL = base_url
        settings.STRIPE_SECRET_KEY = "sk_test_standin"
        settings.STRIPE_WEBHOOK_SECRETS = [SECRET, OLD_SECRET]
        settings.STRIPE_TIMEOUT_S = 2
        yield Shop(stand_in, base_url)


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Run all actions in threads that start together; give results or exceptions, in order."""
    results: list[Any] = [None] * len(actions)
    gate = threading.Barrier(len(actions))

    def run(place: int, action: Callable[[], Any]) -> None:
        gate.wait()
        try:
            results[place] = action()
        except Exception as error:
            results[place] = error
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=run, args=(place, action)) for place, action in enumerate(actions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def only_receipt() -> Receipt:
    """Return the one receipt there is; there is exactly one, and the books agree."""
    [receipt] = Receipt.objects.all()
    assert list(checks.ledger_problems()) == []
    return receipt
