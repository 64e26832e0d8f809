"""Unresolved outputs: paid for but not stored, or stored but not charged."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from imageskill.console import links
from imageskill.lib.admin import actions
from imageskill.lib.admin.actions import StaffAction
from jobs.admin import job_actions
from jobs.admin.usage import LossAdmin
from jobs.models import Job, Loss
from jobs.running import unresolved_outputs

_MAX_ROWS = 50


@dataclass(frozen=True, slots=True)
class UnresolvedCase:
    """One case: its job, a description, and the actions that resolve it."""

    job: Job
    text: str
    staff_actions: list[tuple[StaffAction, str]]


@dataclass(frozen=True, slots=True)
class CaseSection:
    """The newest cases of one kind; `more_url` is the list of all, where there are more."""

    title: str
    about: str
    rows: list[UnresolvedCase]
    more_url: str


def view(request: HttpRequest) -> HttpResponse:
    """List the outputs on which provider, storage and ledger disagree."""
    if not request.user.has_perm("accounts.see_jobs"):
        raise PermissionDenied
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Unresolved outputs",
        "shown": _MAX_ROWS,
        "sections": list(_sections(partial(_available_actions, request))),
    }
    return TemplateResponse(request, "admin/console/unresolved_outputs.html", context)


def _sections(offered: Callable[..., list[tuple[StaffAction, str]]]) -> Iterator[CaseSection]:
    def of_jobs(
        title: str, about: str, kind: str, jobs: QuerySet[Job], text: Callable[[Job], str]
    ) -> CaseSection:
        found = list(jobs.order_by("-pk")[: _MAX_ROWS + 1])
        rows = [
            UnresolvedCase(job, text(job), offered(job, job_actions.ACTIONS, _CLOSING_ACTIONS))
            for job in found
        ]
        return CaseSection(title, about, rows[:_MAX_ROWS], _more_url(Job, rows, trouble=kind))

    yield of_jobs(
        "Generated, not stored",
        "The output is staged, and storing is retried until the job's deadline. Repair storage "
        "retries now; Fail job ends the job without a charge.",
        "unstored",
        unresolved_outputs.unstored(),
        lambda job: (
            f"{job.model_id}, failed attempts: {job.storage_attempts}, "
            f"credits on hold: {job.credits_held:,}"
        ),
    )
    yield of_jobs(
        "Outcome unknown",
        "A call was cut off before the provider returned a request ID. Ask the provider, then end "
        "the job: its hold is released.",
        "unknown",
        unresolved_outputs.outcome_unknown(),
        lambda job: f"{job.model_id}, possible cost {job_actions.format_cost(job.planned_usd)}",
    )
    yield of_jobs(
        "Uncharged",
        "The images are stored, but their job was never charged. Adopt leaves them with their "
        "owner at our expense; Release withdraws them. Either way an open hold is released.",
        "uncharged",
        unresolved_outputs.uncharged(),
        lambda job: f"{job.model_id}, credits not charged: {job.credits_held:,}",
    )
    yield _loss_section(offered)


def _loss_section(offered: Callable[..., list[tuple[StaffAction, str]]]) -> CaseSection:
    found = list(
        unresolved_outputs.open_losses().select_related("job").order_by("-pk")[: _MAX_ROWS + 1]
    )
    rows = [
        UnresolvedCase(
            loss.job,
            f"{loss.job.model_id}, {job_actions.format_cost(loss.usd)}",
            offered(loss, LossAdmin.object_actions),
        )
        for loss in found
    ]
    return CaseSection(
        "Failed storage: absorbed cost",
        "The output is discarded and the hold released, so there is nothing to adopt. Find the "
        "cause, grant goodwill from the agent's page if needed, and resolve the case.",
        rows[:_MAX_ROWS],
        _more_url(Loss, rows, case="open"),
    )


_CLOSING_ACTIONS = ("repair-storage", "give-up", "end-unknown", "adopt", "release")


def _available_actions(
    request: HttpRequest, thing: Model, every: Sequence[StaffAction], names: Sequence[str] = ()
) -> list[tuple[StaffAction, str]]:
    opts = thing._meta
    url = f"admin:{opts.app_label}_{opts.model_name}_action"
    return [
        (actions.label_dry_run(action, request), reverse(url, args=[thing.pk, action.name]))
        for action in every
        if (not names or action.name in names)
        and actions.can_preview(action, request)
        and action.is_open(thing)
    ]


def _more_url(model: type[Model], rows: Sequence[UnresolvedCase], **filters: str) -> str:
    if len(rows) <= _MAX_ROWS:
        return ""
    return links.list_url(model, filters)
