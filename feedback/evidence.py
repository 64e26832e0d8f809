"""The evidence that reports cite, joined to our rows: job, price, error, client, images, prompts.

Evidence is text; an unknown id stays as it is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import TelemetryRow
from feedback.models import Report
from jobs.models import Asset, Job, Prompt

_ID = re.compile(r"\b(?:job|image|trace)_[A-Za-z0-9]{8,64}\b")
_LATEST_PROMPTS = 200  # of the agent; older ones have mostly expired


@dataclass(frozen=True, slots=True)
class CitedEvidence:
    """One id that a report cites, and the job behind it, if there is one."""

    text: str
    job: Job | None = None
    client: str = ""  # which program called; empty once telemetry has expired


def for_reports(reports: Sequence[Report]) -> dict[int, list[CitedEvidence]]:
    """Join the evidence of the reports, in four statements however many there are."""
    texts = {report.pk: _evidence_texts(report) for report in reports}
    ids = {cited_id for cited in texts.values() for text in cited for cited_id in _ID.findall(text)}
    jobs = _find_jobs(ids)
    traces = {cited_id for cited_id in ids if cited_id.startswith("trace_")}
    traces |= {job.trace_id for job in jobs.values()}
    clients = _find_clients(traces)
    return {
        report.pk: [_resolve(report, text, jobs, clients) for text in texts[report.pk]]
        for report in reports
    }


def quotable_prompts(report: Report) -> list[str]:
    """Return the prompts that the report might quote: of the agent's latest and the cited jobs."""
    latest = Job.objects.filter(agent_id=report.agent_id).order_by("-id")
    pks = list(latest.values_list("pk", flat=True)[:_LATEST_PROMPTS])
    ids = {cited_id for text in _evidence_texts(report) for cited_id in _ID.findall(text)}
    cited = [
        job.pk for job in _find_jobs(ids).values() if job.organization_id == report.organization_id
    ]
    return list(Prompt.objects.filter(job__in=[*pks, *cited]).values_list("text", flat=True))


def _evidence_texts(report: Report) -> list[str]:
    trace = [f"trace:{report.trace_id}"] if report.trace_id else []
    return list(dict.fromkeys([*report.evidence, *trace]))


def _find_jobs(ids: set[str]) -> dict[str, Job]:
    """Find the jobs behind ids of jobs, images and traces."""
    fields = ("public_id", "trace_id", "status", "model_id", "credits_held", "credits_captured")
    rows = Job.objects.only(*fields, "error_code", "organization_id")
    by_kind = {
        kind: [cited_id for cited_id in ids if cited_id.startswith(kind)]
        for kind in ("job", "trace")
    }
    jobs = {job.public_id: job for job in rows.filter(public_id__in=by_kind["job"])}
    for job in rows.filter(trace_id__in=by_kind["trace"]):
        jobs.setdefault(job.trace_id, job)
    images = [cited_id for cited_id in ids if cited_id.startswith("image_")]
    for asset in Asset.objects.filter(public_id__in=images).select_related("job"):
        jobs[asset.public_id] = asset.job
    return jobs


def _find_clients(traces: set[str]) -> dict[str, str]:
    rows = TelemetryRow.objects.filter(trace_id__in=traces, kind="request")
    return dict(rows.values_list("trace_id", "client"))


def _resolve(
    report: Report, text: str, jobs: dict[str, Job], clients: dict[str, str]
) -> CitedEvidence:
    for cited_id in _ID.findall(text):
        job = jobs.get(cited_id)
        if job is not None and job.organization_id == report.organization_id:
            return CitedEvidence(text, job, clients.get(job.trace_id, ""))
        if cited_id in clients:
            return CitedEvidence(text, None, clients[cited_id])
    return CitedEvidence(text)
