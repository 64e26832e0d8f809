"""The reconciled days of a made-up history, and what staff made of the differences.

There is no Stripe to read: what it moved is in the rows already. They are compared as every
night, and the days are written as they would have been.
"""

from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from accounts.models import User
from billing.models import BalanceMovement, Difference, Environment, Rail, Receipt, ReconciledDay
from billing.reconciliation import matching, run
from billing.reconciliation.matching import Finding
from imageskill.lib import clock

_HERE = Environment.STAND_IN
_Reason, _State = Difference.Reason, Difference.State


def reconcile(*, since: datetime, now: datetime, finance: User, support: User) -> None:
    """Compare and write all days up to yesterday; some differences find owner and note."""
    today = clock.utc_day(now)
    movements = list(
        BalanceMovement.objects.filter(environment=_HERE, created_at__gte=since)
        .exclude(created_at__date__gte=today)
        .select_related("receipt", "reversal")
        .order_by("created_at")
    )
    findings = [*matching.compare(movements), *_without_movement(movements, since, today)]
    for finding in findings:
        _keep(finding)
    _agreed(movements)
    _deal_with(finance, support)
    by_day = {day: list(rows) for day, rows in groupby(movements, key=_day_of)}
    for back in range((today - clock.utc_day(since)).days, 0, -1):
        day = today - timedelta(days=back)
        _write(day, matching.day_totals(by_day.get(day, [])))


def _night_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(2), tzinfo=UTC)


def _day_of(movement: BalanceMovement) -> date:
    return clock.utc_day(movement.created_at)


def _without_movement(
    movements: list[BalanceMovement], since: datetime, today: date
) -> list[Finding]:
    """Find receipts for which nothing moved, as far as one can tell without asking Stripe."""
    moved = [movement.source_id for movement in movements]
    receipts = Receipt.objects.filter(
        payment_method=Rail.STRIPE_CHECKOUT, environment=_HERE, issued_at__gte=since
    )
    unmoved = receipts.exclude(charge_id__in=moved).exclude(issued_at__date__gte=today)
    return [
        Finding(
            reason=_Reason.MISSING_MOVEMENT,
            what="receipt",
            stripe_id=receipt.charge_id,
            day=clock.utc_day(receipt.issued_at),
            our_cents=receipt.amount_cents,
            receipt=receipt,
        )
        for receipt in unmoved
    ]


def _keep(finding: Finding) -> Difference:
    columns: dict[str, Any] = finding.columns(_HERE)
    found_at = _night_after(finding.day)
    difference, _ = Difference.objects.get_or_create(
        key=finding.key, defaults=columns | {"found_at": found_at}
    )
    return difference


def _agreed(movements: list[BalanceMovement]) -> None:
    """Leave a difference that the next night's run no longer found: Stripe had been behind."""
    late = next((row for row in movements if row.receipt is not None), None)
    if late is None or late.receipt is None:
        return
    kept = _keep(
        Finding(
            reason=_Reason.MISSING_MOVEMENT,
            what="receipt",
            stripe_id=late.source_id,
            day=_day_of(late),
            our_cents=late.receipt.amount_cents,
            receipt=late.receipt,
        )
    )
    agreed_at = kept.found_at + timedelta(days=1)
    Difference.objects.filter(pk=kept.pk).update(state=_State.AGREED, closed_at=agreed_at)


def _deal_with(finance: User, support: User) -> None:
    still_open = Difference.objects.filter(environment=_HERE, state=_State.OPEN, owner=None)
    notes = {
        _Reason.DOUBLE: "Stripe's own correction: the second one went back the same evening.",
        _Reason.EXCHANGE: "The bank settled in euros; the amounts agree at the day's rate.",
    }
    for difference in still_open.filter(reason__in=notes):
        note = notes[_Reason(difference.reason)]
        run.resolve(difference=difference, user=finance, note=note)
    for reason, user in ((_Reason.AMOUNT, finance), (_Reason.STATE, support)):
        for difference in still_open.filter(reason=reason)[:1]:
            why = "Mine: I wrote to the bank about it."
            run.assign(difference=difference, user=user, reason=why)


def _write(day: date, figures: dict[str, int]) -> None:
    still_open = Difference.objects.filter(day=day, environment=_HERE, state=_State.OPEN)
    ReconciledDay.objects.update_or_create(
        day=day,
        environment=_HERE,
        defaults={
            **figures,
            "open_differences": still_open.count(),
            "reconciled_at": _night_after(day),
        },
    )
