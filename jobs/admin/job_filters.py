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

_SWEEP_MARGIN = timedelta(seconds=15)  # a few runs of the sweeper, which runs every five seconds


def overdue_for_resend() -> QuerySet[Job]:
    """Return queued jobs that should have been resent by now, and weren't."""
    patience = timedelta(seconds=settings.JOB_RESEND_AFTER_S) + _SWEEP_MARGIN
    return Job.objects.waiting(before=clock.now() - patience)


def stalled() -> QuerySet[Job]:
    """Return unfinished jobs whose worker let its lease expire."""
    return Job.objects.filter(completed_at=None, leased_until__lt=clock.now())


# The name in the URL, which saved views hold: label, and the jobs.
ISSUES: dict[str, tuple[str, Callable[[], QuerySet[Job]]]] = {
    "unsent": ("Waiting to be resent", overdue_for_resend),
    "lease": ("Stalled", stalled),
    "deadline": ("Overdue", lambda: Job.objects.overdue(now=clock.now())),
    "unknown": ("Outcome unknown", unresolved_outputs.outcome_unknown),
    "unstored": ("Generated, not stored", unresolved_outputs.unstored),
    "uncharged": ("Uncharged", unresolved_outputs.uncharged),
}


class JobIssueFilter(SimpleListFilter):
    """Narrows to jobs that do not go on by themselves, or that the ledger disagrees with."""

    title = "issue"
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Return each issue."""
        return [(name, label) for name, (label, _) in ISSUES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """Narrow to the issue that was chosen."""
        chosen = ISSUES.get(self.value() or "")
        if chosen is None:
            return queryset
        _, jobs = chosen
        return queryset & jobs()
