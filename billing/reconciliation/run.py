"""Reconciliation: Stripe's balance transactions against receipts, reversals and the ledger.

Stripe is read first, outside any transaction; then days and discrepancies are written. A run can
be repeated over any days: a discrepancy that is gone is auto-resolved, a resolved one stays so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import structlog
from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.models import User
from billing.models import BalanceMovement, Difference, ReconciledDay
from billing.reconciliation import balance_transactions, matching, missing
from billing.reconciliation.matching import Finding
from billing.stripe import gateway
from imageskill.lib import clock

log = structlog.get_logger(__name__)

# Events and their processing may be this far behind without anything being wrong.
_LAG = timedelta(minutes=15)
_State = Difference.State


@dataclass(frozen=True, slots=True)
class ReconciliationRun:
    """The reconciled days of a run, and its totals."""

    days: list[ReconciledDay]
    movements: int
    open_differences: int


def run_nightly() -> ReconciliationRun:
    """Reconcile the last days, as many as the setting says."""
    today = clock.utc_day(clock.now())
    return run(since=today - timedelta(days=settings.RECONCILE_DAYS), until=today)


def run(*, since: date, until: date) -> ReconciliationRun:
    """Reconcile the UTC days from `since` to `until`, both included.

    Raises PaymentProviderFailure where Stripe can't be read; nothing is written then.
    """
    start = datetime.combine(since, time.min, tzinfo=UTC)
    end = min(datetime.combine(until + timedelta(days=1), time.min, tzinfo=UTC), clock.now() - _LAG)
    fetched = balance_transactions.fetch(since=start, until=end)
    not_moved = missing.find(since=start, until=end, read=fetched)
    environment = gateway.environment()
    with transaction.atomic():
        movements = balance_transactions.store(fetched, environment=environment)
        findings = [*matching.compare(movements), *not_moved]
        _store_differences(findings, since=since, until=until, environment=environment)
        days = [
            _store_day(day, movements, not_moved, environment)
            for day in (since + timedelta(days=n) for n in range((until - since).days + 1))
        ]
    still_open = sum(day.open_differences for day in days)
    log.info("reconciled", since=str(since), until=str(until), open_differences=still_open)
    return ReconciliationRun(days=days, movements=len(movements), open_differences=still_open)


def assign(*, difference: Difference, user: User, reason: str) -> None:
    """Assign a discrepancy to somebody."""
    with transaction.atomic():
        Difference.objects.filter(pk=difference.pk).update(owner=user)
        audit.record(
            user=user, action="difference.take_on", subject=difference.key[:128], reason=reason
        )


def resolve(*, difference: Difference, user: User, note: str) -> None:
    """Resolve a discrepancy with a note; it is assigned to whoever resolves it."""
    with transaction.atomic():
        Difference.objects.filter(pk=difference.pk, state=_State.OPEN).update(
            state=_State.CLOSED, owner=user, note=note, closed_at=clock.now()
        )
        audit.record(
            user=user, action="difference.close", subject=difference.key[:128], reason=note
        )


def _store_differences(
    findings: Iterable[Finding], *, since: date, until: date, environment: str
) -> None:
    """Store the discrepancies; auto-resolve those that are gone."""
    findings_by_key = {finding.key: finding for finding in findings}
    for key, finding in findings_by_key.items():
        difference, is_new = Difference.objects.get_or_create(
            key=key, defaults=finding.columns(environment)
        )
        if not is_new and difference.state == _State.AGREED:
            Difference.objects.filter(pk=difference.pk).update(state=_State.OPEN, closed_at=None)
    gone = Difference.objects.filter(
        state=_State.OPEN, environment=environment, day__gte=since, day__lte=until
    )
    gone.exclude(key__in=list(findings_by_key)).update(state=_State.AGREED, closed_at=clock.now())


def _store_day(
    day: date, movements: list[BalanceMovement], not_moved: list[Finding], environment: str
) -> ReconciledDay:
    of_day = [movement for movement in movements if clock.utc_day(movement.created_at) == day]
    not_moved_of_day = [finding for finding in not_moved if finding.day == day]
    figures = matching.day_totals(of_day, not_moved_of_day)
    still_open = Difference.objects.filter(day=day, environment=environment, state=_State.OPEN)
    row, _ = ReconciledDay.objects.update_or_create(
        day=day,
        environment=environment,
        defaults={
            **figures,
            "open_differences": still_open.count(),
            "reconciled_at": clock.now(),
        },
    )
    return row
