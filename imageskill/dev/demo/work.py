"""The jobs and uploads of a history, by the functions that API and workers call."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import NoReturn

from django.core.files.storage import storages

from imageskill.dev.demo import requests
from imageskill.dev.demo.runtime import images
from imageskill.dev.demo.runtime.context import Context, Customer
from imageskill.dev.demo.runtime.images import Kind
from imageskill.dev.demo.runtime.provider import Ending, WorkerKilled
from imageskill.lib.errors import ApiError
from jobs import states
from jobs.assets import removal, uploads
from jobs.assets.uploads import UploadDeclaration
from jobs.models import Asset, Job
from jobs.providers import failures
from jobs.running import lifecycle, staff_actions, unresolved_outputs

_How = failures.Failure | Kind | str
# How often runs end other than well, in thousandths.
_FAILS: dict[_How, float] = {
    failures.PERMANENT: 9,
    failures.TRANSIENT: 16,
    failures.BROKEN_RUN: 11,
    failures.POLICY: 16,
    failures.UNAVAILABLE: 9,
    failures.OPERATOR: 4,
    failures.NOT_SENT: 4,
    failures.TIMED_OUT: 4,
    failures.OUTCOME_UNKNOWN: 4,
}
_ODD_IMAGES: dict[_How, float] = {Kind.CUT: 4, Kind.FLAT: 4, Kind.SMALL: 4}
_CANCELED, _NOT_STORED = "canceled", "not stored"
_OTHERS: dict[_How, float] = {_CANCELED: 16, _NOT_STORED: 4}
_RARE = _FAILS | _ODD_IMAGES | _OTHERS
_HOUR_S, _DEADLINE_S = 3600, 900
_GALLERY_DAYS = 25


def plan(context: Context, customer: Customer, *, jobs: int, uploads: int) -> None:
    """Plan a new agent's jobs and uploads."""
    begin = context.timeline.now + timedelta(minutes=2)
    for _ in range(jobs):
        at = context.random.between(begin, customer.until, late=1.3)
        context.timeline.plan(at, create, context, customer)
    for _ in range(uploads):
        at = context.random.between(begin, customer.until)
        context.timeline.plan(at, upload, context, customer)


def plan_gallery(context: Context) -> None:
    """Check images from a day on; earlier ones would take most of the time."""

    def look(lost: set[str]) -> None:
        context.timeline.lost = lost

    context.timeline.plan(context.begin, look, {"jobs.thumbnail"})
    context.timeline.plan(context.end - timedelta(days=_GALLERY_DAYS), look, set())


def plan_rare(context: Context) -> None:
    """Plan each way to end once, so that even a short history has them all."""
    end = context.end
    for how in _RARE:
        at = context.random.between(end - timedelta(days=30), end - timedelta(hours=30))
        context.timeline.plan(at, create_by_somebody, context, how)
    for hours in (2, 5):  # found today
        at = end - timedelta(hours=hours)
        context.timeline.plan(at, create_by_somebody, context, Kind.FLAT)
    for minutes in (30, 20):
        at = end - timedelta(minutes=minutes)
        context.timeline.plan(at, _leave_queued, context)
        context.timeline.plan(at, _leave_running, context)
        for how in (_NOT_STORED, failures.OUTCOME_UNKNOWN):
            context.timeline.plan(at, create_by_somebody, context, how)


def create(context: Context, customer: Customer, how: _How = Kind.GOOD) -> Job | None:
    """Create or edit as the agent would, and bring the job to an end; None where it is refused."""
    how = _chosen(context) if how is Kind.GOOD else how
    model = _model(context, customer, how)
    job = requests.submit(context, customer, model)
    if job is None:
        return None
    if how == _CANCELED:
        context.timeline.wait(2)
        lifecycle.cancel(job, actor=job.agent.public_id)
    context.provider.next = _ending(context, how, requests.seconds(context, model))
    if how == _NOT_STORED:
        with _storage_down():
            context.timeline.settle()
    context.timeline.settle()
    _plan_care(context, job, how)
    return job


def _ending(context: Context, how: _How, seconds: float) -> Ending:
    """Return how the provider ends; nobody looks at what it delivers before the gallery's days."""
    is_old = "jobs.thumbnail" in context.timeline.lost
    image = how if isinstance(how, Kind) else Kind.GOOD
    return Ending(
        seconds=_DEADLINE_S if how is failures.TIMED_OUT else seconds,
        failure=how if isinstance(how, failures.Failure) else None,
        image=Kind.PLAIN if is_old and image is Kind.GOOD else image,
        seed=context.random.getrandbits(16),
    )


def create_by_somebody(context: Context, how: _How = Kind.GOOD) -> Job:
    """Create by a paying agent that may."""
    payers = list(context.payers())
    for customer in context.random.sample(payers, len(payers)):
        if job := create(context, customer, how):
            return job
    raise RuntimeError("no agent of the history can create")


def upload(context: Context, customer: Customer) -> None:
    """Send an image; one in ten is deleted again."""
    random = context.random
    data = images.upload(requests.words(context), random.getrandbits(16))
    declared = UploadDeclaration(
        source_kind="local_path",
        filename="reference.png",
        remote_origin=None,
        mime_type="image/png",
        content_length=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    try:
        asset, _ = uploads.receive(agent=customer.agent(), declared=declared, data=data)
    except ApiError:
        return
    if random.random() < 0.1:
        context.timeline.later(random.uniform(1, 9) * 24 * _HOUR_S, _delete, asset.pk)


def _delete(asset_id: int) -> None:
    removal.delete(Asset.objects.get(pk=asset_id))


def _chosen(context: Context) -> _How:
    return context.random.weighted(_RARE | {Kind.GOOD: 1000 - sum(_RARE.values())})


def _model(context: Context, customer: Customer, how: _How) -> str:
    if how is failures.TIMED_OUT:
        return requests.LATE
    if isinstance(how, str):
        return requests.LOCAL
    return requests.model_for(context, customer, is_remote=how in _FAILS)


def _plan_care(context: Context, job: Job, how: _How) -> None:
    """Close what only staff can."""
    after_s = context.random.uniform(1, 4) * _HOUR_S
    if how == _NOT_STORED:
        context.timeline.later(after_s, _give_up, context, job.pk)
    if how is failures.OUTCOME_UNKNOWN:
        context.timeline.later(after_s, _end_unknown, context, job.pk)


def _give_up(context: Context, job_id: int) -> None:
    job, user = Job.objects.get(pk=job_id), context.staff["lead support"]
    if job.status == states.STORING:
        unresolved_outputs.give_up(
            job=job, user=user, reason="storage was down for an hour; made anew"
        )


def _end_unknown(context: Context, job_id: int) -> None:
    job, user = Job.objects.get(pk=job_id), context.staff["lead support"]
    if job.is_outcome_unknown:
        staff_actions.end_unknown(job=job, user=user, reason="the provider has no record of it")


@contextmanager
def _storage_down() -> Iterator[None]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError("storage is down")

    storage = vars(storages["default"])
    storage["save"] = fail
    try:
        yield
    finally:
        del storage["save"]


def _leave_queued(context: Context) -> None:
    """Leave a job whose message got lost."""
    _submit_somebodys(context, requests.LOCAL)
    context.timeline.lose_tasks()


def _leave_running(context: Context) -> None:
    """Leave a job whose worker dies in the middle of the call."""
    _submit_somebodys(context, requests.KILLED)
    context.provider.next = Ending(kills_worker=True)
    with suppress(WorkerKilled):
        context.timeline.settle()


def _submit_somebodys(context: Context, model: str) -> None:
    any(requests.submit(context, customer, model) for customer in context.payers())
