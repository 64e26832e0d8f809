"""Orphans: results that were paid for but never stored, and images that were never charged."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
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
    """One case: what it is about, and the deeds that close it."""

    job: Job
    text: str
    deeds: list[tuple[StaffAction, str]]


@dataclass(frozen=True, slots=True)
class CaseSection:
    """The newest cases of one kind; `more_url` leads to all where there are more."""

    title: str
    about: str
    rows: list[UnresolvedCase]
    more_url: str


def view(request: HttpRequest) -> HttpResponse:
    """List what hangs between the provider, the storage and the ledger."""
    if not request.user.has_perm("accounts.see_jobs"):
        raise PermissionDenied
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Orphans",
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
        "Made by the provider, not stored yet",
        "The output is kept, and storing is tried again by itself until the job's deadline. "
        "Repair storage tries now (adopt); giving up ends the job without a charge (release).",
        "unstored",
        unresolved_outputs.unstored(),
        lambda job: (
            f"{job.model_id}, {job.storage_attempts} attempts failed, "
            f"{job.credits_held} credits held"
        ),
    )
    yield of_jobs(
        "Outcome unknown",
        "A call was cut off before its request id came back. Ask the provider, then end the job: "
        "its hold goes back.",
        "unknown",
        unresolved_outputs.outcome_unknown(),
        lambda job: f"{job.model_id}, possibly {_usd(job.planned_usd)}",
    )
    yield of_jobs(
        "Stored, never charged",
        "Adopt: the images stay with their owner at our expense. Release: they are taken down. "
        "Either way a hold that still stands goes back, once.",
        "uncharged",
        unresolved_outputs.uncharged(),
        lambda job: f"{job.model_id}, {job.credits_held} credits were to be charged",
    )
    yield _loss_section(offered)


def _loss_section(offered: Callable[..., list[tuple[StaffAction, str]]]) -> CaseSection:
    found = list(
        unresolved_outputs.open_losses().select_related("job").order_by("-pk")[: _MAX_ROWS + 1]
    )
    rows = [
        UnresolvedCase(
            loss.job, f"{loss.job.model_id}, {_usd(loss.usd)}", offered(loss, LossAdmin.deeds)
        )
        for loss in found
    ]
    return CaseSection(
        "Given up: our loss",
        "The output is gone and the hold went back, so there is nothing left to adopt. Look into "
        "why, make up for it from the agent's page if need be, and close the case with a note.",
        rows[:_MAX_ROWS],
        _more_url(Loss, rows, case="open"),
    )


_CLOSING_ACTIONS = ("repair-storage", "give-up", "end-unknown", "adopt", "release")


def _available_actions(
    request: HttpRequest, thing: Model, every: Sequence[StaffAction], names: Sequence[str] = ()
) -> list[tuple[StaffAction, str]]:
    opts = thing._meta
    url = f"admin:{opts.app_label}_{opts.model_name}_deed"
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


def _usd(amount: Decimal | None) -> str:
    return "an unknown number of USD" if amount is None else f"{amount.normalize():f} USD"
