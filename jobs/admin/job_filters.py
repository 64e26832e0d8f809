"""Filters of the list of jobs that go by more than one column."""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from imageskill.lib import clock
from jobs.models import Job
from jobs.running import unresolved_outputs

_SWEEP_MARGIN = timedelta(seconds=15)  # a few looks of the sweeper, which comes every five seconds


def overdue_for_resend() -> QuerySet[Job]:
    """Return queued jobs that should have been sent again by now, and weren't."""
    patience = timedelta(seconds=settings.JOB_RESEND_AFTER_S) + _SWEEP_MARGIN
    return Job.objects.waiting(before=clock.now() - patience)


def stalled() -> QuerySet[Job]:
    """Return jobs whose worker is gone."""
    return Job.objects.filter(completed_at=None, leased_until__lt=clock.now())


# name in the address: label, and the jobs
ISSUES: dict[str, tuple[str, Callable[[], QuerySet[Job]]]] = {
    "unsent": ("waiting to be sent again", overdue_for_resend),
    "lease": ("past their lease", stalled),
    "deadline": ("past their deadline", lambda: Job.objects.overdue(now=clock.now())),
    "unknown": ("outcome unknown", unresolved_outputs.outcome_unknown),
    "unstored": ("made, not stored yet", unresolved_outputs.unstored),
    "uncharged": ("stored, never charged", unresolved_outputs.uncharged),
}


class JobIssueFilter(SimpleListFilter):
    """Narrows to jobs that stand still or hang somewhere."""

    title = "trouble"
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Offer each kind."""
        return [(name, label) for name, (label, _) in ISSUES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """Narrow to the kind that was chosen."""
        chosen = ISSUES.get(self.value() or "")
        if chosen is None:
            return queryset
        _, jobs = chosen
        return queryset & jobs()
