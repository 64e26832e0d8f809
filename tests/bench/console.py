"""The console's lists and pages with many jobs (SIZE=1m), beside ten thousand in the same run."""

import statistics
import time
from collections.abc import Iterator

from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import Agent, User
from billing.models import Receipt
from imageskill.dev.demo import bulk, history
from jobs.models import Job
from tests.bench.house import House
from tests.bench.rows import Row
from tests.imageskill.console.conftest import sign_in

FEW = 10_000
USUAL = "50k"
READS = 15
TARGET = 2
MOST_MS = 300
_STEPS = {"k": 1000, "m": 1_000_000}
_APPS = {"accounts", "billing", "jobs", "feedback"}


def measure(house: House) -> Iterator[Row]:
    """Open every list and the great pages at both sizes, in this process: server time alone."""
    settings.ALLOWED_HOSTS = ["*"]
    size = house.size or USUAL
    many = int(size.rstrip("km")) * _STEPS.get(size[-1], 1)
    history.make(seed=1, size=history.Size(), say=_quiet)
    bulk.add(jobs=FEW, say=_quiet)
    browser = sign_in(User.objects.create_superuser("bench@example.com"))
    urls = dict(_urls())
    few = {name: _median_ms(browser, url) for name, url in urls.items()}
    bulk.add(jobs=many - FEW, say=_quiet)
    for name, url in urls.items():
        took = _median_ms(browser, url)
        ratio = took / few[name]
        yield Row(
            f"console: {name} with {many:,} jobs, median",
            f"{took:.0f} ms",
            f"{few[name]:.0f} ms with {FEW:,}",
            ratio,
            f"at most {TARGET}, under {MOST_MS} ms",
            ratio <= TARGET and took < MOST_MS,
        )


def _urls() -> Iterator[tuple[str, str]]:
    yield "today", reverse("admin:index")
    for model in (Agent, Job, Receipt):
        thing = model.objects.order_by("-pk").first()
        yield f"a single {model._meta.verbose_name}", _url(model, "change", thing.pk)
    for model in admin.site._registry:
        if model._meta.app_label in _APPS:
            yield f"list of {model._meta.verbose_name_plural}", _url(model, "changelist")
    yield "failed jobs", _url(Job, "changelist") + "?status__exact=failed"
    yield "a job looked up", _url(Job, "changelist") + "?q=job_nothing"


def _url(model: type[Model], page: str, *args: int) -> str:
    opts = model._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}", args=args)


def _median_ms(browser: Client, url: str) -> float:
    times = []
    for _ in range(READS):
        began = time.perf_counter()
        answer = browser.get(url)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(f"{url} answers {answer.status_code}")
    return statistics.median(times)


def _quiet(text: str) -> None:
    """Print nothing: the table comes at the end."""
