"""Jobs per second of one worker process, and what 500 in flight cost with one web process."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from django.db.models import Max, Min

from jobs.models import Job
from tests.bench.house import House, Site, memory_mb
from tests.bench.rows import Row

_JOBS = 300
_IN_FLIGHT = 500
_CALLERS = 16
_PROVIDER_S = 60.0
_LONGEST_S = 120.0
_DOCUMENT = {"prompt": "a quick fox", "model": "fal.flux-dev"}


def measure(house: House) -> Iterator[Row]:
    """Let one worker empty a full queue; then hold 500 jobs at a slow provider."""
    with house.site(providers=True, webs=1, threads=_IN_FLIGHT, CREATE_WAIT_S="0") as site:
        yield _throughput(site, site.sign_up())
    with house.site(providers=True, webs=1, threads=_IN_FLIGHT) as site:
        yield from _in_flight(site, site.sign_up())


def _in_flight(site: Site, token: str) -> Iterator[Row]:
    """Let 500 callers wait at once, as many of them as the web process lets wait."""
    site.pace(fal=_PROVIDER_S)
    memory = {name: memory_mb(site.programs[name]) for name in ("web", "worker")}
    first = _last_id()
    with ThreadPoolExecutor(_IN_FLIGHT) as callers:
        for _ in range(_IN_FLIGHT):
            callers.submit(site.call, "POST", "/v1/create", _DOCUMENT, token=token)
        began, reached = time.monotonic(), 0
        while reached < _IN_FLIGHT and time.monotonic() - began < _PROVIDER_S:
            time.sleep(0.5)
            mine = Job.objects.filter(id__gt=first, completed_at=None)
            reached = mine.exclude(submitted_at=None).count()
        for name, idle in memory.items():
            busy = memory_mb(site.programs[name])
            yield Row(
                f"{reached} jobs in flight at a slow provider, memory of {name}",
                f"{busy:.0f} MB",
                f"{idle:.0f} MB, just started",
                busy / idle,
            )


def _throughput(site: Site, token: str) -> Row:
    first = _last_id()
    _create(site, token, 10)
    _until_ended(first)
    first = _last_id()
    _create(site, token, _JOBS)
    _until_ended(first)
    times = Job.objects.filter(id__gt=first, status="completed").aggregate(
        began=Min("created_at"), ended=Max("completed_at")
    )
    seconds = (times["ended"] - times["began"]).total_seconds()
    return Row(
        "jobs per second, one worker process, provider of 0 s", f"{_JOBS / seconds:.1f} a second"
    )


def _create(site: Site, token: str, count: int) -> None:
    with ThreadPoolExecutor(_CALLERS) as callers:
        for done in [
            callers.submit(site.call, "POST", "/v1/create", _DOCUMENT, token=token)
            for _ in range(count)
        ]:
            done.result()


def _until_ended(first: int) -> None:
    """Wait for the jobs after one; what another measurement left open may wait for people."""
    give_up_at = time.monotonic() + _LONGEST_S
    while Job.objects.unfinished().filter(id__gt=first).exists():
        if time.monotonic() > give_up_at:
            raise RuntimeError("the worker does not come to an end")
        time.sleep(0.1)


def _last_id() -> int:
    return Job.objects.aggregate(last=Max("id"))["last"] or 0
