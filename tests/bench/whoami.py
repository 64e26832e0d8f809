"""The dearest of the cheap requests: who am I, beside a view that reads one row."""

from collections.abc import Iterator

from accounts.models import Organization
from tests.bench.house import House
from tests.bench.load import Ask, hammer
from tests.bench.rows import Row

_SECONDS = 2.0
_TURNS = 8
_CONNECTIONS = 16


def measure(house: House) -> Iterator[Row]:
    """Take turns, so that a noisy moment does not meet one side only; the best turn counts."""
    with house.site() as site:
        token = site.sign_up()
        headers = {"Authorization": f"Bearer {token}"}
        whoami = Ask(site.port, "/v1/whoami", headers=headers)
        key = Organization.objects.order_by("-pk").values_list("pk", flat=True)[0]
        bare = Ask(site.port, f"/bench/organizations/{key}")
        rates = {whoami.path: 0.0, bare.path: 0.0}
        for ask in (bare, whoami) * _TURNS:
            load = hammer(ask, seconds=_SECONDS, connections=_CONNECTIONS)
            assert load.failures == 0, f"{ask.path}: {load.failures} failed"
            rates[ask.path] = max(rates[ask.path], load.rate)
    ratio = rates[whoami.path] / rates[bare.path]
    yield Row(
        "GET /v1/whoami, throughput",
        f"{rates[whoami.path]:.0f}/s",
        f"{rates[bare.path]:.0f}/s, a view that reads one row",
        ratio,
        "at least 0.5",
        ratio >= 0.5,
    )
