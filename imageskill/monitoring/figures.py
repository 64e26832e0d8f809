"""Figures of the installation, read from the database and Redis: the same whoever is asked.

    REGISTRY.register(Figures())

Each group is one statement or one round trip; all are read at most every ten seconds by a process,
however often it is asked. A group that can't be read is left out and counted as such.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from threading import Lock

import structlog
from django.conf import settings
from django.db import Error
from django.db.models import Count, Max, Min, Q
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from billing.models import BooksCheck, Difference, ReconciledDay, StripeEvent
from feedback.models import GithubEvent, QueueItem
from imageskill.lib import clock
from imageskill.lib.queue import QUEUES
from imageskill.lib.redis.client import RedisUnavailable, client
from imageskill.web.health import SCHEDULER, heartbeat_key
from imageskill.web.storage_probe import probe
from jobs import states
from jobs.models import Job
from jobs.providers import breaker, concurrency
from jobs.providers.vendors import VENDORS
from jobs.registry import catalog

log = structlog.get_logger(__name__)

KEEP_S = 10.0

Figure = tuple[str, str, tuple[str, ...], Iterable[tuple[tuple[str, ...], float]]]


class Figures(Collector):
    """Answers with all figures; see the module."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: list[Metric] = []
        self._read_at = -KEEP_S

    def collect(self) -> Iterable[Metric]:
        """Return the figures, at most ten seconds old."""
        with self._lock:
            if time.monotonic() - self._read_at >= KEEP_S:
                self._kept = list(_read())
                self._read_at = time.monotonic()
            return self._kept

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering reads nothing."""
        return ()


def _read() -> Iterator[Metric]:
    unread = 0
    for group in GROUPS:
        try:
            figures = list(group())
        except (Error, RedisUnavailable) as error:
            log.warning("figures_not_read", group=group.__name__, error=type(error).__name__)
            unread += 1
            continue
        for name, text, labels, values in figures:
            metric = GaugeMetricFamily(f"imageskill_{name}", text, labels=labels)
            for label, value in values:
                metric.add_metric(label, value)
            yield metric
    missing = GaugeMetricFamily("imageskill_figures_not_read", "Groups of figures left out.")
    missing.add_metric((), unread)
    yield missing


def _one(name: str, text: str, value: float | None) -> Figure:
    return (name, text, (), [] if value is None else [((), value)])


def _storage() -> Iterator[Figure]:
    yield _one("storage_up", "Whether a file could be written lately.", probe.works())


def _queues() -> Iterator[Figure]:
    redis = client()
    depths = [((name,), float(redis.llen(name))) for name in QUEUES]
    yield ("queue_messages", "Messages that wait in a queue.", ("queue",), depths)
    beats = {name: redis.get(heartbeat_key(name)) for name in (*QUEUES, SCHEDULER)}
    ages = [((name,), _age_s(datetime.fromisoformat(str(at)))) for name, at in beats.items() if at]
    text = "Since a worker of the queue took a heartbeat, and since the scheduler sent one."
    yield ("heartbeat_age_seconds", text, ("of",), ages)


def _providers() -> Iterator[Figure]:
    in_use = {name: concurrency.in_use(name) for name in VENDORS}
    waiting = {name: concurrency.in_line(name) for name in VENDORS}
    yield (
        "provider_runs",
        "Runs that a provider has now, jobs that wait for it, and the limit.",
        ("provider", "state"),
        [
            *(((name, "running"), count) for name, count in in_use.items() if count is not None),
            *(((name, "waiting"), count) for name, count in waiting.items() if count is not None),
            *(((name, "limit"), vendor.max_concurrency) for name, vendor in VENDORS.items()),
        ],
    )
    pauses = breaker.seconds_until_closed(model.id for model in catalog.models())
    text = "Models whose circuit breaker is open, by the seconds left."
    yield ("circuit_open_seconds", text, ("model",), [((m,), float(s)) for m, s in pauses.items()])


def _jobs() -> Iterator[Figure]:
    unfinished = Job.objects.unfinished()
    counts = unfinished.values_list("provider_id", "status").annotate(n=Count("pk"))
    yield (
        "open_jobs",
        "Jobs that have not ended, by provider and status.",
        ("provider", "status"),
        [((provider, status), n) for provider, status, n in counts],
    )
    now = clock.now()
    facts = unfinished.aggregate(
        queued=Min("created_at", filter=Q(status=states.QUEUED)),
        unknown=Count("pk", filter=Q(outcome_unknown_at__isnull=False)),
        unstored=Count("pk", filter=Q(storage_failed_at__isnull=False)),
    )
    text = "Since the oldest queued job was created."
    yield _one("oldest_queued_job_seconds", text, _age_s(facts["queued"]))
    stalled = Job.objects.stalled(now=now).count()
    yield _one("stalled_jobs", "Started jobs that no worker has.", stalled)
    yield _one("jobs_of_unknown_outcome", "Jobs cut off during a call.", facts["unknown"])
    yield _one("jobs_not_stored", "Jobs whose outputs wait for storage.", facts["unstored"])


def _webhooks() -> Iterator[Figure]:
    rows = {"stripe": StripeEvent.objects, "github": GithubEvent.objects}
    facts = {
        name: events.filter(state__in=("received", "failed")).aggregate(
            oldest=Min("received_at", filter=Q(state="received")),
            failed=Count("pk", filter=Q(state="failed")),
        )
        for name, events in rows.items()
    }
    text = "Since the oldest webhook event came that is not handled."
    ages = [((name,), _age_s(of["oldest"])) for name, of in facts.items()]
    yield ("oldest_webhook_seconds", text, ("from",), ages)
    failed = [((name,), of["failed"]) for name, of in facts.items()]
    yield ("failed_webhooks", "Webhook events that failed.", ("from",), failed)


def _feedback() -> Iterator[Figure]:
    facts = QueueItem.objects.filter(state=QueueItem.State.QUEUED).aggregate(
        due=Min("next_attempt_at")
    )
    text = "Since the oldest report was due at GitHub."
    yield _one("oldest_due_report_seconds", text, max(_age_s(facts["due"]), 0))


def _money() -> Iterator[Figure]:
    latest = BooksCheck.objects.order_by("-pk").first()
    if latest:
        text = "Problems that the last check of the ledger found."
        yield _one("ledger_problems", text, latest.problem_count)
        text = "Since the ledger was last checked."
        yield _one("ledger_check_age_seconds", text, _age_s(latest.finished_at))
    if settings.STRIPE_SECRET_KEY:
        newest = ReconciledDay.objects.aggregate(day=Max("day"))["day"]
        behind = (clock.utc_day(clock.now()) - newest).days if newest else None
        yield _one("reconciliation_lag_days", "Days since the last reconciled one.", behind)
    opened = Difference.objects.filter(state=Difference.State.OPEN).count()
    yield _one("open_discrepancies", "Discrepancies that nobody has resolved.", opened)


def _age_s(at: datetime | None) -> float:
    """Return seconds since then; 0 where there is nothing that waits."""
    return 0.0 if at is None else (clock.now() - at).total_seconds()


GROUPS: tuple[Callable[[], Iterator[Figure]], ...] = (
    _storage,
    _queues,
    _providers,
    _jobs,
    _webhooks,
    _feedback,
    _money,
)
