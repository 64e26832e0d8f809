"""The jobs of a made-up history: what was asked, how it ended, and every row it left behind."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Model

from accounts.models import ActivityEvent, TelemetryRow
from billing.models import DailyUse
from imageskill.console.demo import trail
from imageskill.console.demo.dice import Dice
from imageskill.console.demo.pen import Pen
from imageskill.console.demo.people import Player
from imageskill.console.demo.pictures import Tile
from imageskill.lib import clock
from jobs import news, orders, planning, states
from jobs.asks import Ask, PictureFacts
from jobs.models import Asset, AssetCheck, Job, JobInput, Loss, Prompt, Upload, Usage
from jobs.obstacles import Availability
from jobs.planning import Plan
from jobs.preparing import Prepared, request_out
from jobs.providers import failures
from jobs.requests import Request

_BATCH = 1000
# model -> how often, seconds it takes
_MODELS = {
    "local.sketch": (14, 1),
    "fal.z-image-turbo": (10, 3),
    "fal.flux-dev": (9, 6),
    "fal.kling-image-v3-text-to-image": (5, 5),
    "fal.nano-banana-2": (8, 14),
    "fal.gemini-3-pro-image-preview": (4, 22),
    "openai.gpt-image-2": (9, 31),
    "openai.gpt-image-1.5": (4, 28),
    "xai.grok-imagine-image": (6, 8),
}
_EDITS = {
    "local.sketch-remix": (3, 1),
    "fal.flux-pro-kontext": (4, 9),
    "fal.nano-banana-2-edit": (3, 15),
}
_ENDINGS = {
    "good": 90.5,
    "canceled": 1.6,
    "undecodable": 0.4,
    "not_stored": 0.4,
    **{
        failure.name: weight
        for failure, weight in zip(
            failures.FAILURES, (0.9, 0.4, 1.6, 1.1, 1.6, 0.9, 0.6, 0.3), strict=True
        )
    },
}
_LOSSES = {
    "undecodable": Loss.Reason.UNDECODABLE,
    "not_stored": Loss.Reason.NOT_STORED,
    "broken_run": Loss.Reason.BROKEN_RUN,
    "policy": Loss.Reason.BILLED_REFUSAL,
    "timeout": Loss.Reason.TOO_LATE,
    "outcome_unknown": Loss.Reason.OUTCOME_UNKNOWN,
}
_FAILURES = {failure.name: failure for failure in failures.FAILURES}


@dataclass(slots=True)
class Recipe:
    """What jobs of one model have in common, as the planner decided it."""

    plan: Plan
    document: dict[str, Any]
    seconds: float


@dataclass
class Work:
    """Makes jobs one after the other, and writes their rows at the end."""

    dice: Dice
    pen: Pen
    tiles: list[Tile]
    spoiled: list[Tile]
    jobs: list[Job] = field(default_factory=list)
    assets: list[Asset] = field(default_factory=list)
    rest: dict[type[Model], list[Any]] = field(default_factory=lambda: defaultdict(list))
    used: dict[tuple[int, date], DailyUse] = field(default_factory=dict)
    last_asset: dict[int, Asset] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Have the planner plan each model once."""
        self.recipes = {
            name: _recipe(name, seconds) for name, (_, seconds) in {**_MODELS, **_EDITS}.items()
        }

    def choose(self, player: Player) -> str:
        """Choose a model that the agent can afford; the built-in one where it is poor."""
        wanted = dict(_MODELS)
        if player.agent.pk in self.last_asset:
            wanted |= _EDITS
        name = self.dice.one_of({name: weight for name, (weight, _) in wanted.items()})
        return name if player.pays else "local.sketch"

    def price(self, model: str) -> int:
        """Give the credits that a job of the model holds."""
        return self.recipes[model].plan.cost.credits

    def run(self, player: Player, model: str, at: datetime, *, open_as: str = "") -> None:
        """Tell of one job from hold to end; with `open_as`, of one that is still under way."""
        recipe, tile = self.recipes[model], self.dice.choice(self.tiles)
        job = self._job(player, recipe, tile, at)
        self.pen.hold(
            player.org, job.credits_held, job_id=job.public_id, actor=player.agent.public_id, at=at
        )
        self._count(player, at, job.credits_held)
        self.rest[Prompt].append(Prompt(job=job, text=tile.prompt, created_at=at))
        if recipe.plan.operation == "edit":
            source = self.last_asset[player.agent.pk]
            self.rest[JobInput].append(JobInput(job=job, asset=source, role="input"))
        if open_as:
            self._leave_open(job, open_as)
            return
        ending = self.dice.one_of(_ENDINGS) if job.provider_id != "local" else "good"
        took = recipe.seconds * self.dice.lognormvariate(0, 0.35)
        if ending == "good":
            self._complete(player, job, tile, took)
        else:
            self._end(player, job, ending, took)
        self._telemetry(player, job)

    def upload(self, player: Player, at: datetime) -> None:
        """Tell of one upload."""
        tile = self.dice.choice(self.tiles)
        job = Job(
            public_id=self.dice.public_id("job"),
            organization_id=player.org,
            agent=player.agent,
            operation=Job.Operation.UPLOAD,
            status=states.COMPLETED,
            trace_id=self.dice.trace(),
            capability_id="is.asset.upload.v1",
            created_at=at,
            started_at=at,
            stored_at=at,
            completed_at=at,
        )
        self.jobs.append(job)
        asset = self._asset(job, tile, at, kind=Asset.Kind.UPLOADED)
        self.rest[Upload].append(
            Upload(
                asset=asset,
                source_kind=Upload.SourceKind.LOCAL_PATH,
                filename="reference.png",
                received_bytes=tile.content_length,
                received_sha256=tile.sha256,
                had_metadata=self.dice.random() < 0.4,
            )
        )
        links = {"job_id": job.public_id, "asset_ids": [asset.public_id]}
        self._event("asset.uploaded", job, asset.public_id, "Picture uploaded", links, at=at)

    def write(self) -> None:
        """Write everything, in the caller's transaction."""
        Job.objects.bulk_create(self.jobs, batch_size=_BATCH)
        Asset.objects.bulk_create(self.assets, batch_size=_BATCH)
        for model, rows in self.rest.items():
            model._default_manager.bulk_create(rows, batch_size=_BATCH)
        DailyUse.objects.bulk_create(self.used.values(), batch_size=_BATCH)

    def _job(self, player: Player, recipe: Recipe, tile: Tile, at: datetime) -> Job:
        plan = recipe.plan
        job = Job(
            public_id=self.dice.public_id("job"),
            organization_id=player.org,
            agent=player.agent,
            operation=plan.operation,
            trace_id=self.dice.trace(),
            capability_id=plan.capability_id,
            model_id=plan.model.id,
            provider_id=plan.model.provider,
            output_count=plan.output_count,
            plan=recipe.document | {"aspect_ratio": tile.ratio, "size": list(tile.size)},
            planned_usd=plan.cost.planned_usd,
            credits_held=plan.cost.credits,
            created_at=at,
            sent_at=at,
            deadline_at=at + timedelta(seconds=settings.JOB_DEADLINE_S),
        )
        self.jobs.append(job)
        return job

    def _begin(self, job: Job) -> datetime:
        job.started_at = self.dice.after(job.created_at, 0.02, 0.4)
        job.call_began_at = job.started_at
        job.attempts = 1
        if job.provider_id == "fal":
            job.provider_request_id = self.dice.text(20).lower()
        job.submitted_at = self.dice.after(job.started_at, 0.1, 0.5)
        return job.submitted_at

    def _complete(self, player: Player, job: Job, tile: Tile, took_s: float) -> None:
        job.answered_at = self.dice.after(self._begin(job), took_s, took_s * 1.05)
        job.stored_at = self.dice.after(job.answered_at, 0.05, 0.4)
        job.completed_at = self.dice.after(job.stored_at, 0.01, 0.05)
        job.status, job.credits_captured = states.COMPLETED, job.credits_held
        held = self.pen.capture(job.public_id, at=job.completed_at)
        usage = Usage(
            public_id=self.dice.public_id("usage"),
            job=job,
            organization_id=player.org,
            agent=player.agent,
            credits=held.captured,
            preview_credits=held.captured_preview,
            paid_credits=held.captured_paid,
            provider_usd=job.planned_usd,
            created_at=job.completed_at,
        )
        self.rest[Usage].append(usage)
        if self.dice.random() < 0.006:
            tile = self.dice.choice(self.spoiled)
        asset = self._asset(job, tile, job.completed_at, kind=Asset.Kind.GENERATED)
        self._tell(job, asset, usage)

    def _end(self, player: Player, job: Job, ending: str, took_s: float) -> None:
        if ending != "unavailable":
            self._begin(job)
        ended = self.dice.after(job.created_at, took_s, took_s * 2)
        job.completed_at = ended
        if ending == "canceled":
            job.status = states.CANCELED
        else:
            failure = _FAILURES.get(ending, failures.BROKEN_RUN)
            job.status, job.error_class = states.FAILED, failure.name
            job.error_code, job.error_message = failure.error.code, failure.error.message
        if ending == "not_stored":
            job.storage_failed_at, job.storage_attempts = ended, 6
            job.error_code = "ARTIFACT_STORAGE_WRITE_FAILED"
        why = job.error_code or "canceled"
        self.pen.release(job.public_id, at=ended, why=why)
        self._count(player, ended, -job.credits_held)
        if ending in _LOSSES:
            loss = Loss(job=job, reason=_LOSSES[ending], usd=job.planned_usd, created_at=ended)
            self.rest[Loss].append(loss)
        links = {"job_id": job.public_id}
        summary = f"{job.get_operation_display().capitalize()} job {job.status}"
        self._event("job.completed", job, job.public_id, summary, links, at=ended)

    def _leave_open(self, job: Job, how: str) -> None:
        # Far deadlines: what sweeps jobs shall leave these to be looked at.
        job.deadline_at = job.created_at + timedelta(days=30)
        job.status = {"queued": states.QUEUED, "storing": states.STORING}.get(how, states.RUNNING)
        if how == "queued":
            return
        self._begin(job)
        job.pause_until = job.deadline_at
        if how == "unknown":
            job.outcome_unknown_at = self.dice.after(job.created_at, 60, 90)
            job.submitted_at, job.provider_request_id = None, ""
        elif how == "storing":
            job.answered_at = job.storage_failed_at = self.dice.after(job.created_at, 9, 20)
            job.storage_attempts = 4

    def _asset(self, job: Job, tile: Tile, at: datetime, *, kind: str) -> Asset:
        state, fate = Asset.State.AVAILABLE, self.dice.random()
        if fate < 0.003:
            state = self.dice.choice([Asset.State.QUARANTINED, Asset.State.WITHDRAWN])
        # An upload's bytes go one day; without a key, nothing that others share goes with them.
        is_gone = kind == Asset.Kind.UPLOADED
        asset = Asset(
            public_id=self.dice.public_id("asset"),
            organization_id=job.organization_id,
            agent=job.agent,
            job=job,
            kind=kind,
            mime_type="image/png",
            content_length=tile.content_length,
            width=tile.size[0],
            height=tile.size[1],
            sha256=tile.sha256,
            storage_key="" if is_gone else tile.storage_key,
            thumbnail_key=tile.thumbnail_key,
            state=Asset.State.DELETED if is_gone else state,
            state_changed_at=at if is_gone or state != Asset.State.AVAILABLE else None,
            created_at=at,
        )
        self.assets.append(asset)
        if not is_gone:
            self._check(asset, tile, at)
        return asset

    def _check(self, asset: Asset, tile: Tile, at: datetime) -> None:
        earlier = self.last_asset.get(-1)
        is_lookalike = tile.decodes and self.dice.random() < 0.003 and earlier is not None
        is_planned = self.dice.random() > 0.004
        findings = [
            (not tile.decodes, "The bytes begin like image/png but can't be decoded."),
            (not is_planned, "The plan expected another size or type."),
            (tile.is_blank, "One flat colour."),
            (is_lookalike, "Looks the same as another agent's picture."),
        ]
        found = [text for is_so, text in findings if is_so]
        self.rest[AssetCheck].append(
            AssetCheck(
                asset=asset,
                checked_at=self.dice.after(at, 0.3, 3),
                is_good=not found,
                decodes=tile.decodes,
                is_as_promised=tile.decodes,
                is_as_planned=is_planned,
                is_blank=tile.is_blank,
                difference_hash=tile.difference_hash,
                bands=tile.bands,
                same_as=earlier if is_lookalike else None,
                finding=" ".join(found),
            )
        )
        if tile.decodes and not tile.is_blank and asset.state == Asset.State.AVAILABLE:
            self.last_asset[asset.agent.pk] = self.last_asset[-1] = asset

    def _tell(self, job: Job, asset: Asset, usage: Usage) -> None:
        at = job.completed_at or job.created_at
        links = {"job_id": job.public_id, "usage_event_id": usage.public_id}
        full = links | {"asset_ids": [asset.public_id]}
        self._event("asset.created", job, asset.public_id, "Image created", full, at=at)
        summary = f"{usage.credits} credits consumed"
        self._event("usage.credit_consumed", job, usage.public_id, summary, links, at=at)
        summary = f"{job.get_operation_display().capitalize()} job completed"
        self._event("job.completed", job, job.public_id, summary, full, at=at)

    def _event(
        self,
        type: str,
        job: Job,
        subject: str,
        summary: str,
        links: dict[str, Any],
        *,
        at: datetime,
    ) -> None:
        self.rest[ActivityEvent].append(
            trail.event(
                self.dice,
                type=type,
                org=job.organization_id,
                agent=job.agent,
                subject_id=subject,
                operation=job.operation,
                summary=summary,
                status=job.status,
                links=links,
                at=at,
                trace_id=job.trace_id,
                cost=news.cost_of(job),
            )
        )

    def _telemetry(self, player: Player, job: Job) -> None:
        ended = job.completed_at or job.created_at
        self.rest[TelemetryRow].append(
            TelemetryRow(
                at=ended,
                kind="job",
                name=news.COMMANDS[Job.Operation(job.operation)],
                client=f"image-skill-cli/1.0 ({player.agent.runtime})",
                api_version="v1",
                actor_type="agent",
                actor_id=player.agent.public_id,
                capability=job.capability_id,
                provider=job.provider_id,
                status=job.status,
                duration_ms=round((ended - job.created_at).total_seconds() * 1000, 1),
                estimated_usd=job.planned_usd,
                output_count=job.output_count,
                error_code=job.error_code,
                job_id=job.public_id,
                trace_id=job.trace_id,
            )
        )

    def _count(self, player: Player, at: datetime, credits: int) -> None:
        key = (player.agent.pk, clock.utc_day(at))
        use = self.used.setdefault(key, DailyUse(agent=player.agent, day=key[1]))
        use.jobs += credits > 0
        use.credits = max(0, use.credits + credits)


def _recipe(name: str, seconds: float) -> Recipe:
    is_edit = name in _EDITS
    picture = PictureFacts(mime_type="image/png", content_length=100_000, width=1024, height=1024)
    ask = Ask(
        operation="edit" if is_edit else "create",
        prompt="a picture",
        model=name,
        input_image=picture if is_edit else None,
        accept_unknown_cost=True,
    )
    plan = planning.plan(
        ask, availability=Availability(()), margin=Decimal(settings.TARGET_GROSS_MARGIN)
    )
    request = Request(operation=ask.operation, model=name, accept_unknown_cost=True)
    prepared = Prepared(request=request, plan=plan, assets={})
    return Recipe(plan, orders.snapshot(plan) | {"request": request_out(prepared)}, seconds)
