"""What create adds to the time that the provider takes by itself."""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.bench.house import House, Site
from tests.bench.rows import Row

_TIMES = 40
_PROMPT = "a quick fox"


def measure(house: House) -> Iterator[Row]:
    """One after another, with a provider of 0 s and one of 3 s, which is asked directly too."""
    with house.site(providers=True) as site:
        token = site.sign_up()
        for provider_s, times in ((0.0, _TIMES), (3.0, _TIMES // 4)):
            site.pace(openai=provider_s)
            pairs = [(_asked(site), _created(site, token)) for _ in range(times + 1)][1:]
            provider = statistics.median(own for own, _ in pairs)
            added = sorted(created - provider for _, created in pairs)
            median = statistics.median(added) * 1000
            late = added[int(len(added) * 0.95) - 1] * 1000
            yield Row(
                f"POST /v1/create, added to {provider_s:.0f} s of the provider",
                f"median {median:.0f} ms, 95th {late:.0f} ms",
                f"{provider * 1000:.0f} ms, the provider itself",
                target="60 and 150 ms",
                is_met=median <= 60 and late <= 150,
            )


def _asked(site: Site) -> float:
    document = {"model": "gpt-image-2", "prompt": _PROMPT}
    return _timed(lambda: site.ask_openai(document))


def _created(site: Site, token: str) -> float:
    document = {"prompt": _PROMPT, "model": "openai.gpt-image-2", "accept_unknown_cost": True}

    def create() -> None:
        answer = site.call("POST", "/v1/create", document, token=token)
        assert answer["data"]["job"]["status"] == "completed", answer

    return _timed(create)


def _timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
