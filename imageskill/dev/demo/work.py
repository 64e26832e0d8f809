"""The jobs of a made-up history: what was asked, how it ended, and every row it left behind."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.conf import settings

from billing.models import DailyUse
from imageskill.dev.demo import recipes
from imageskill.dev.demo.dice import Dice
from imageskill.dev.demo.job_trail import JobTrail
from imageskill.dev.demo.pen import Pen
from imageskill.dev.demo.people import Player
from imageskill.dev.demo.pictures import Tile
from imageskill.dev.demo.recipes import Recipe
from imageskill.dev.demo.results import Results
from imageskill.dev.demo.sheets import Sheets
from imageskill.lib import clock
from jobs import states
from jobs.models import Job, JobInput, Loss, Prompt, Usage
from jobs.providers import failures

# How often a failure comes, where it isn't as often as most.
_OFTEN = {"permanent": 0.9, "transient": 1.6, "broken_run": 1.1, "policy": 1.6, "unavailable": 0.9}
_ENDINGS = {
    "good": 90.5,
    "canceled": 1.6,
    "undecodable": 0.4,
    "not_stored": 0.4,
    **{failure.name: _OFTEN.get(failure.name, 0.4) for failure in failures.FAILURES},
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
_EVERYTHING_FAILS_ONCE = tuple(_LOSSES)


@dataclass
class Work:
    """Makes jobs one after the other."""

    dice: Dice
    pen: Pen
    sheets: Sheets
    results: Results
    used: dict[tuple[int, date], DailyUse] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Have every model planned."""
        self.recipes = recipes.write_down()
        self.trail = JobTrail(self.dice, self.sheets)
        self._owed_endings = list(_EVERYTHING_FAILS_ONCE)

    def choose(self, player: Player) -> str:
        """Choose a model that the agent can afford; the built-in one where it is poor."""
        wanted = dict(recipes.CREATES)
        if player.agent.pk in self.results.last_asset:
            wanted |= recipes.EDITS
        name = self.dice.one_of({name: weight for name, (weight, _) in wanted.items()})
        return name if player.pays else "local.sketch"

    def price(self, model: str) -> int:
        """Return the credits that a job of the model holds."""
        return self.recipes[model].plan.cost.credits

    def run(self, player: Player, model: str, at: datetime, *, open_as: str = "") -> None:
        """Tell of one job from hold to end; with `open_as`, of one that is still under way."""
        recipe, tile = self.recipes[model], self.dice.choice(self.results.tiles)
        job = self._job(player, recipe, tile, at)
        self.pen.hold(
            player.org, job.credits_held, job_id=job.public_id, actor=player.agent.public_id, at=at
        )
        self._count(player, at, job.credits_held)
        self.sheets.add(Prompt(job=job, text=tile.prompt, created_at=at))
        if recipe.plan.operation == "edit":
            source = self.results.last_asset[player.agent.pk]
            self.sheets.add(JobInput(job=job, asset=source, role="input"))
        if open_as:
            self._leave_open(job, tile, open_as)
            return
        ending = self._ending() if job.provider_id != "local" else "good"
        took = recipe.seconds * self.dice.lognormvariate(0, 0.35)
        if ending == "good":
            self._complete(player, job, tile, took)
        else:
            self._end(player, job, ending, took)
        self.trail.measured(player, job)

    def upload(self, player: Player, at: datetime) -> None:
        """Tell of one upload."""
        job = self.sheets.add(
            Job(
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
        )
        self.trail.uploaded(job, self.results.uploaded(job))

    def _ending(self) -> str:
        """Choose how a job ends; whatever is rare happens once in even the shortest history."""
        ending = self.dice.one_of(_ENDINGS)
        if ending == "good" and self._owed_endings and self.dice.random() < 0.1:
            return self._owed_endings.pop()
        return ending

    def _job(self, player: Player, recipe: Recipe, tile: Tile, at: datetime) -> Job:
        plan = recipe.plan
        return self.sheets.add(
            Job(
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
        )

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
        usage = self.sheets.add(
            Usage(
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
        )
        self.trail.completed(job, self.results.made(job, tile), usage)

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
            self.sheets.add(loss)
        self.trail.ended(job)

    def _leave_open(self, job: Job, tile: Tile, how: str) -> None:
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
            self.results.kept(job, tile)

    def _count(self, player: Player, at: datetime, credits: int) -> None:
        key = (player.agent.pk, clock.utc_day(at))
        if key not in self.used:
            self.used[key] = self.sheets.add(DailyUse(agent=player.agent, day=key[1]))
        use = self.used[key]
        use.jobs += credits > 0
        use.credits = max(0, use.credits + credits)
