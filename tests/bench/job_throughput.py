"""Jobs per second of one worker process, and what 500 in flight cost in memory."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from django.db.models import Max, Min

from jobs.models import Job
from tests.bench.house import House, Site, memory_mb
from tests.bench.rows import Row

_JOBS = 300
_IN_FLIGHT = 500
_PROVIDER_S = 60.0
_DOCUMENT = {"prompt": "a quick fox", "model": "fal.flux-dev"}


def measure(house: House) -> Iterator[Row]:
    """Let one worker empty a full queue; then hold 500 jobs at a slow provider."""
    with house.site(providers=True, threads=_IN_FLIGHT, CREATE_WAIT_S="0") as site:
        token = site.sign_up()
        memory = {name: memory_mb(site.programs[name]) for name in ("web", "worker")}
        yield _throughput(site, token)
        site.pace(fal=_PROVIDER_S)
        first = Job.objects.aggregate(last=Max("id"))["last"]
        began = time.monotonic()
        _create(site, token, _IN_FLIGHT)
        mine = Job.objects.filter(id__gt=first)
        while mine.exclude(submitted_at=None).filter(completed_at=None).count() < _IN_FLIGHT:
            if time.monotonic() - began > _PROVIDER_S:
                break
            time.sleep(0.5)
        reached = mine.exclude(submitted_at=None).filter(completed_at=None).count()
        for name, idle in memory.items():
            busy = memory_mb(site.programs[name])
            yield Row(
                f"{reached} jobs in flight at a slow provider, memory of {name}",
                f"{busy:.0f} MB",
                f"{idle:.0f} MB, just started",
                busy / idle,
            )


def _throughput(site: Site, token: str) -> Row:
    _create(site, token, 10)
    _until_none_is_open()
    first = Job.objects.aggregate(last=Max("id"))["last"]
    _create(site, token, _JOBS)
    _until_none_is_open()
    times = Job.objects.filter(id__gt=first, status="completed").aggregate(
        began=Min("created_at"), ended=Max("completed_at")
    )
    seconds = (times["ended"] - times["began"]).total_seconds()
    return Row(
        "jobs per second, one worker process, provider of 0 s", f"{_JOBS / seconds:.1f} a second"
    )


def _create(site: Site, token: str, count: int) -> None:
    with ThreadPoolExecutor(16) as callers:
        for done in [
            callers.submit(site.call, "POST", "/v1/create", _DOCUMENT, token=token)
            for _ in range(count)
        ]:
            done.result()


def _until_none_is_open() -> None:
    while Job.objects.unfinished().exists():
        time.sleep(0.1)
