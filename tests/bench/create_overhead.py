"""What create adds to the time that the provider takes by itself."""

import statistics
import time
from collections.abc import Iterator

from tests.bench.house import House, Site
from tests.bench.rows import Row

_TIMES = 40


def measure(house: House) -> Iterator[Row]:
    """One after another, with a provider of 0 s and one of 3 s."""
    with house.site(providers=True) as site:
        token = site.sign_up()
        for provider_s, times in ((0.0, _TIMES), (3.0, _TIMES // 4)):
            site.pace(openai=provider_s)
            _create(site, token)
            added = sorted(_create(site, token) - provider_s for _ in range(times))
            median = statistics.median(added) * 1000
            late = added[int(len(added) * 0.95) - 1] * 1000
            yield Row(
                f"POST /v1/create, added to {provider_s:.0f} s of the provider",
                f"median {median:.0f} ms, 95th {late:.0f} ms",
                target="60 and 150 ms",
                is_met=median <= 60 and late <= 150,
            )


def _create(site: Site, token: str) -> float:
    document = {
        "prompt": "a quick fox",
        "model": "openai.gpt-image-2",
        "accept_unknown_cost": True,
    }
    began = time.perf_counter()
    answer = site.call("POST", "/v1/create", document, token=token)
    assert answer["data"]["job"]["status"] == "completed", answer
    return time.perf_counter() - began
