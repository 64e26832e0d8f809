"""Every call that the gateway makes, once, against the stand-in: what went out, what came back."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from billing.stripe import gateway
from imageskill.dev.standins.stripe import parameters
from imageskill.lib import clock
from tests.billing.shop import Shop, shop

__all__ = ["journey", "shop"]


@dataclass(frozen=True)
class Call:
    """One request: method, path with `{id}` for ids, parameters as a tree."""

    method: str
    path: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Journey:
    """The calls, and the objects of Stripe's that were read, by kind."""

    calls: list[Call]
    objects: dict[str, list[dict[str, Any]]]


@pytest.fixture
def journey(shop: Shop, db: None) -> Journey:
    """Buy, refund, dispute, reconcile."""
    account, now = shop.account, clock.now()
    session = _open("payatt_1")
    _open("payatt_2")
    gateway.expire_session(_open("payatt_3").id)
    gateway.find_session(reference="payatt_2", since=now - timedelta(hours=1))
    account.pay(session.id)
    charge_id = gateway.retrieve_session(session.id).charge_id
    gateway.retrieve_charge(charge_id)
    refund = gateway.create_refund(
        charge_id=charge_id, amount_cents=100, idempotency_key="refund-1"
    )
    gateway.retrieve_refund(refund.id)
    gateway.list_refunds(charge_id)
    dispute_id = account.dispute(charge_id, 400)["id"]
    gateway.update_dispute(
        dispute_id=dispute_id,
        evidence={
            "product_description": "Credits for making images",
            "customer_email_address": "buyer@example.com",
            "access_activity_log": "2026-11-21 job_1",
            "service_date": "2026-11-21",
            "uncategorized_text": "It was used.",
        },
        submit=True,
    )
    account.win(dispute_id)
    gateway.retrieve_dispute(dispute_id)
    list(gateway.list_balance_transactions(since=now - timedelta(days=1), until=now))
    list(gateway.list_undelivered_events(since=now, types=["refund.created"]))
    kinds: dict[str, list[dict[str, Any]]] = {"event": list(account.events)}
    for one in account.objects.values():
        public = {name: value for name, value in one.items() if not name.startswith("_")}
        kinds.setdefault(one["object"], []).append(public)
    return Journey([_call(request) for request in shop.stand_in.requests], kinds)


def _open(reference: str) -> Any:
    return gateway.create_session(
        reference=reference,
        quote_id="quote_1",
        product_name="Starter: 500 credits",
        amount_cents=500,
        currency="USD",
        success_url="https://example.com/paid",
        cancel_url="https://example.com/canceled",
        expires_at=clock.now() + timedelta(hours=2),
        idempotency_key=reference,
    )


def _call(request: Any) -> Call:
    encoded = request.body.decode() if request.method == "POST" else request.query_string
    parts = [
        "{id}" if "_" in part and part[:3].islower() and any(map(str.isupper, part)) else part
        for part in request.path.split("/")
    ]
    return Call(request.method, "/".join(parts), parameters.parse(encoded))
