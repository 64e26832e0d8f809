"""300 creates that wait for a slow provider, and whether anybody else notices."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.bench.house import House, Site, memory_mb
from tests.bench.load import Ask, probe
from tests.bench.rows import Row

_WAITING = 300
_PROBE_S = 12.0
_PROVIDER_S = 40.0


def measure(house: House) -> Iterator[Row]:
    """Probe the quota with nobody waiting, then with everybody waiting.

    The worker is the usual one: 64 creates are at the provider, the others in the queue. Which of
    the two web processes a create waits in is the kernel's choice, so each has room for more than
    half of them.
    """
    with house.site(providers=True, CREATE_WAIT_S="50", CREATE_WAITERS="190") as site:
        token = site.sign_up()
        ask = Ask(site.port, "/v1/quota", headers={"Authorization": f"Bearer {token}"})
        probe(ask, seconds=2)  # warm
        idle = probe(ask, seconds=_PROBE_S)
        site.pace(fal=_PROVIDER_S)
        with ThreadPoolExecutor(_WAITING) as callers:
            creates = [callers.submit(_create, site, token) for _ in range(_WAITING)]
            time.sleep(12)  # all submitted
            memory = memory_mb(site.programs["web"])
            busy = probe(ask, seconds=_PROBE_S)
            were_waiting = sum(not create.done() for create in creates)
            outcomes = [create.result() for create in creates]
    ratio = busy.percentile_ms(95) / idle.percentile_ms(95)
    yield Row(
        f"GET /v1/quota beside {were_waiting} waiting creates, 95th",
        f"{busy.percentile_ms(95):.1f} ms",
        f"{idle.percentile_ms(95):.1f} ms, idle",
        ratio,
        "at most 2",
        ratio <= 2 and were_waiting == _WAITING,
    )
    completed = outcomes.count("completed")
    yield Row("… of which completed within the wait", f"{completed}")
    yield Row("… memory of the web processes", f"{memory:.0f} MB")


def _create(site: Site, token: str) -> str:
    document = {"prompt": "a slow river", "model": "fal.flux-dev", "accept_unknown_cost": True}
    return str(site.call("POST", "/v1/create", document, token=token)["data"]["job"]["status"])
