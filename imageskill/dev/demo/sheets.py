"""The rows of a made-up history until they are written, all at once and in the order of time."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model

from accounts.models import ActivityEvent, Alert, AuditLine, TelemetryRow
from billing.models import PaymentAttempt, PaymentReversal, Quote, Receipt, StripeEvent
from jobs.models import Asset, Job

_BATCH = 1000
_M = TypeVar("_M", bound=Model)
# What others point at.
_FIRST: tuple[type[Model], ...] = (Job, Asset, Quote, PaymentAttempt, Receipt, PaymentReversal)
# Lists show these by key, newest first; the story doesn't always come upon them in that order.
_MOMENTS: dict[type[Model], str] = {
    ActivityEvent: "occurred_at",
    Alert: "created_at",
    AuditLine: "at",
    StripeEvent: "received_at",
    TelemetryRow: "at",
}


class Sheets:
    """Unsaved rows by model."""

    def __init__(self) -> None:
        self._rows: dict[type[Model], list[Any]] = defaultdict(list)

    def __getitem__(self, model: type[_M]) -> list[_M]:
        """Return the rows of a model so far."""
        return self._rows[model]

    def add(self, row: _M) -> _M:
        """Keep a row; gives it back."""
        self._rows[type(row)].append(row)
        return row

    def write(self, say: Callable[[str], None]) -> None:
        """Write everything, in the caller's transaction."""
        for model in [*_FIRST, *(model for model in self._rows if model not in _FIRST)]:
            rows = self._rows[model]
            if moment := _MOMENTS.get(model):
                rows.sort(key=lambda row: getattr(row, moment))
            say(f"writing {len(rows):,} {model._meta.verbose_name_plural}")
            model._default_manager.bulk_create(rows, batch_size=_BATCH)
