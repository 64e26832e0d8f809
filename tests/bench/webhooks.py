"""Stripe's webhooks coming in at 50 a second: how soon each is answered, and all grants done."""

import http.client
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.test import override_settings

from accounts.models import Agent
from billing import books, buyers, checkout, quotes
from billing.models import Receipt, StripeEvent
from imageskill.standins.server import serving
from imageskill.standins.stripe import StripeStandIn
from imageskill.standins.stripe.deliveries import signed
from tests.bench.house import House
from tests.bench.rows import Row

EVENTS = 500
A_SECOND = 50
SECRET = "whsec_of_the_bench"
TARGET_MS = 50
_SENDERS = 16

Request = tuple[bytes, dict[str, str]]


def measure(house: House) -> Iterator[Row]:
    """Send the events of so many paid sessions at an even pace; wait for the last grant."""
    stand_in = StripeStandIn()
    with serving(stand_in) as stripe:
        env = {
            "STRIPE_API_BASE_URL": stripe,
            "STRIPE_SECRET_KEY": "sk_test_standin",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "INSTALLATION_NAME": settings.INSTALLATION_NAME,
        }
        with house.site(**env) as site:
            site.sign_up()
            agent = Agent.objects.order_by("-pk")[0]
            here = env | {"STRIPE_WEBHOOK_SECRETS": [SECRET]}
            with override_settings(**here):
                events = _paid(stand_in, agent)
            _send(site.port, "/bench/inserts", [(b"{}", {})] * A_SECOND)  # warm up
            bare = _send(site.port, "/bench/inserts", [(b"{}", {})] * EVENTS)
            began = time.perf_counter()
            requests = [signed(event, secret=SECRET) for event in events]
            answered = _send(site.port, "/webhooks/stripe", requests)
            lag_s = _wait_for_grants(began)
    problems = list(books.ledger_problems())
    p99, bare_p99 = _percentile(answered), _percentile(bare)
    yield Row(
        f"webhook answered at {A_SECOND}/s, 99th percentile",
        f"{p99:.1f} ms",
        f"{bare_p99:.1f} ms, a bare insert",
        p99 / bare_p99,
        f"at most {TARGET_MS} ms",
        p99 <= TARGET_MS,
    )
    yield Row(
        f"webhook answered at {A_SECOND}/s, median",
        f"{statistics.median(answered):.1f} ms",
        f"{statistics.median(bare):.1f} ms, a bare insert",
    )
    yield Row(
        f"{EVENTS} grants done after the last webhook",
        f"{lag_s - EVENTS / A_SECOND:.1f} s",
        f"{len(problems)} problems in the books",
        None,
        "all, none",
        not problems and Receipt.objects.filter(agent=agent).count() == EVENTS,
    )


def _paid(stand_in: StripeStandIn, agent: Agent) -> list[dict[str, Any]]:
    """Have so many sessions opened and paid; give the events that say so."""
    buyer = buyers.agent(agent)
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


def _send(port: int, path: str, requests: list[Request]) -> list[float]:
    """Post all requests at an even pace, whether or not earlier ones were answered; give ms."""
    latencies: list[float] = []
    begin = time.perf_counter() + 0.2

    def run(share: int, post: Callable[[Request], None]) -> None:
        for number in range(share, len(requests), _SENDERS):
            due = begin + number / A_SECOND
            time.sleep(max(0.0, due - time.perf_counter()))
            post(requests[number])
            # From when it was due: a queue of our own would hide a slow server.
            latencies.append((time.perf_counter() - due) * 1000)

    threads = [
        threading.Thread(target=run, args=(share, _poster(port, path))) for share in range(_SENDERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(latencies) == len(requests)
    return latencies


def _poster(port: int, path: str) -> Callable[[Request], None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def post(request: Request) -> None:
        body, headers = request
        connection.request("POST", path, body=body, headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status

    return post


def _wait_for_grants(began: float) -> float:
    give_up_at = time.perf_counter() + 120
    while time.perf_counter() < give_up_at:
        if StripeEvent.objects.filter(state=StripeEvent.State.HANDLED).count() >= EVENTS:
            break
        time.sleep(0.1)
    return time.perf_counter() - began


def _percentile(latencies: list[float]) -> float:
    return statistics.quantiles(latencies, n=100)[98]
