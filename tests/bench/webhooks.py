"""Stripe's webhooks coming in at 50 a second: how soon each is answered, and all grants done."""

import statistics
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.test import override_settings

from accounts.models import Agent
from billing.ledger import checks
from billing.models import Receipt, StripeEvent
from billing.purchases import buyers, checkout, quotes
from imageskill.dev.standins.server import serve
from imageskill.dev.standins.stripe import StripeStandIn
from imageskill.dev.standins.stripe.deliveries import sign_event
from tests.bench.house import House
from tests.bench.load import Ask, pace
from tests.bench.rows import Row

EVENTS = 500
A_SECOND = 50
SECRET = "whsec_of_the_bench"
TARGET = 2


def measure(house: House) -> Iterator[Row]:
    """Send the events of so many paid sessions at an even pace; wait for the last grant."""
    stand_in = StripeStandIn()
    with serve(stand_in) as stripe:
        env = {
            "STRIPE_API_BASE_URL": stripe,
            "STRIPE_SECRET_KEY": "sk_test_standin",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "INSTALLATION_NAME": settings.INSTALLATION_NAME,
        }
        with house.site(**env) as site:
            site.sign_up()
            agent = Agent.objects.order_by("-pk")[0]
            here = env | {
                "STRIPE_WEBHOOK_SECRETS": [SECRET],
                "OPEN_CHECKOUTS_PER_ORGANIZATION": EVENTS,
            }
            with override_settings(**here):
                events = _paid(stand_in, agent)
            inserts = [Ask(site.port, "/bench/inserts", "POST", body=b"{}")] * EVENTS
            pace(inserts[:A_SECOND], a_second=A_SECOND)  # warm up
            bare = pace(inserts, a_second=A_SECOND)
            webhooks = [_webhook(site.port, event) for event in events]
            answered = pace(webhooks, a_second=A_SECOND)
            lag_s = _wait_for_grants()
    assert bare.failures + answered.failures == 0
    problems = list(checks.ledger_problems())
    p99, bare_p99 = answered.percentile_ms(99), bare.percentile_ms(99)
    yield Row(
        f"webhook answered at {A_SECOND}/s, 99th percentile",
        f"{p99:.1f} ms",
        f"{bare_p99:.1f} ms, a bare insert",
        p99 / bare_p99,
        f"at most {TARGET}",
        p99 <= TARGET * bare_p99,
    )
    yield Row(
        f"webhook answered at {A_SECOND}/s, median",
        f"{answered.median_ms:.1f} ms",
        f"{bare.median_ms:.1f} ms, a bare insert",
    )
    yield Row("from a webhook to its grant, 95th percentile", f"{_grant_lag_s():.1f} s")
    yield Row(
        f"{EVENTS} grants done after the last webhook",
        f"{lag_s:.1f} s",
        f"{len(problems)} problems in the books",
        None,
        "all, none",
        not problems and Receipt.objects.filter(agent=agent).count() == EVENTS,
    )


def _paid(stand_in: StripeStandIn, agent: Agent) -> list[dict[str, Any]]:
    """Open and pay so many sessions; return the events that report it."""
    buyer = buyers.agent_buyer(agent)
    for number in range(EVENTS):
        quote = quotes.create(
            buyer=buyer,
            payment_method="stripe_checkout",
            credits=50,
            idempotency_key=f"quote-{number}",
        )
        attempt = checkout.open_session(
            buyer=buyer, quote_id=quote.public_id, idempotency_key=f"buy-{number}"
        )
        stand_in.account.pay(str(attempt.checkout_session_id))
    return [one for one in stand_in.account.events if one["type"].startswith("checkout.")]


def _webhook(port: int, event: dict[str, Any]) -> Ask:
    body, headers = sign_event(event, secret=SECRET)
    del headers["Content-Type"]  # the sender says so itself
    return Ask(port, "/webhooks/stripe", "POST", headers, body)


def _wait_for_grants() -> float:
    began = time.perf_counter()
    give_up_at = began + 120
    while time.perf_counter() < give_up_at:
        if StripeEvent.objects.filter(state=StripeEvent.State.HANDLED).count() >= EVENTS:
            break
        time.sleep(0.1)
    return time.perf_counter() - began


def _grant_lag_s() -> float:
    """Return within which time 95 of 100 events were handled, their waiting included."""
    handled = StripeEvent.objects.filter(state=StripeEvent.State.HANDLED)
    moments = handled.values_list("received_at", "handled_at")
    lags = [(done - received).total_seconds() for received, done in moments if done]
    return statistics.quantiles(lags, n=20)[18]
