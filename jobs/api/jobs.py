"""The organization's jobs: list, show, cancel."""

from typing import Any

from django.db.models import Prefetch
from ninja import Router

from accounts.api.auth import bearer
from imageskill.lib.envelope import openapi_command
from imageskill.lib.errors import NotFound
from imageskill.lib.http import ApiRequest
from jobs.api import answers, bodies, listing, next_actions, representations
from jobs.models import Asset, Job
from jobs.running import lifecycle, outcomes

router = Router(auth=bearer, tags=["jobs"])


@router.get(
    "/v1/jobs",
    response=answers.JobsOut,
    exclude_unset=True,
    operation_id="list_jobs",
    openapi_extra=openapi_command("image-skill jobs list"),
    summary="List the organization's jobs, newest first",
)
def list_jobs(
    request: ApiRequest,
    limit: bodies.Limit = 20,
    cursor: bodies.Cursor | None = None,
    provenance: bool = False,
) -> answers.JobsOut:
    """Return a page of jobs; `next_cursor` is null on the last page."""
    shows = listing.includes_provenance(request, provenance)
    mine = request.auth.organization_id
    jobs = Job.objects.of(mine).prefetch_related(_assets())
    page, next_cursor = listing.paginate(jobs, organization_id=mine, limit=limit, cursor=cursor)
    return answers.JobsOut(
        jobs=[
            representations.job_out(job, listing.available_assets(job), with_provenance=shows)
            for job in page
        ],
        next_cursor=next_cursor,
    )


@router.get(
    "/v1/jobs/{job_id}",
    response=answers.ShowJobOut,
    exclude_unset=True,
    operation_id="get_job",
    openapi_extra=openapi_command("image-skill jobs show"),
    summary="Show a job",
)
def show_job(request: ApiRequest, job_id: str, provenance: bool = False) -> answers.ShowJobOut:
    """Return one job of the caller's organization."""
    shows = listing.includes_provenance(request, provenance)
    job = _get_job(request, job_id)
    request.warnings.extend(filter(None, [outcomes.shortfall_warning(job)]))
    assets = listing.available_assets(job)
    out = representations.job_out(job, assets, with_provenance=shows)
    return answers.ShowJobOut(
        request=answers.JobReferenceOut(job_id=job_id),
        job=out,
        status=job.status,
        state=job.status,
        assets=out.assets,
        cost=out.cost,
        next_actions=next_actions.after_job(job, assets),
    )


@router.post(
    "/v1/jobs/{job_id}/cancel",
    response=answers.CanceledOut,
    exclude_unset=True,
    operation_id="cancel_job",
    openapi_extra=openapi_command("image-skill jobs cancel"),
    summary="Cancel a queued or running job",
)
def cancel_job(request: ApiRequest, job_id: str) -> answers.CanceledOut:
    """Cancel a job and release its credits; 409 where it has ended or can't be stopped."""
    job = _get_job(request, job_id)
    if not lifecycle.cancel(job, actor=request.auth.public_id):
        job.refresh_from_db()
        raise outcomes.JobEnded(
            f"The job {job_id} is {job.status} and can't be canceled.",
            recovery={"suggested_command": f"image-skill jobs show {job_id} --json"},
        )
    return answers.CanceledOut(job=representations.job_out(job, []))


def _get_job(request: ApiRequest, job_id: str) -> Job:
    mine = Job.objects.of(request.auth.organization_id).prefetch_related(_assets())
    job = mine.filter(public_id=job_id).first()
    if job is None:
        raise NotFound
    return job


def _assets() -> Any:
    return Prefetch("assets", Asset.objects.with_use())
