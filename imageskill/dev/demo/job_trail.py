"""What a job of a made-up history leaves in activity and telemetry."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import TelemetryRow
from imageskill.dev.demo import trail
from imageskill.dev.demo.dice import Dice
from imageskill.dev.demo.people import Player
from imageskill.dev.demo.sheets import Sheets
from jobs import notifications
from jobs.models import Asset, Job, Usage


@dataclass(frozen=True, slots=True)
class JobTrail:
    """Writes down what an agent could read of its jobs, and what staff could measure."""

    dice: Dice
    sheets: Sheets

    def completed(self, job: Job, asset: Asset, usage: Usage) -> None:
        """Tell of an image, its price and the end of its job."""
        at = job.completed_at or job.created_at
        links = {"job_id": job.public_id, "usage_event_id": usage.public_id}
        full = links | {"asset_ids": [asset.public_id]}
        self._event("asset.created", job, asset.public_id, "Image created", full, at=at)
        summary = f"{usage.credits} credits consumed"
        self._event("usage.credit_consumed", job, usage.public_id, summary, links, at=at)
        summary = f"{job.get_operation_display().capitalize()} job completed"
        self._event("job.completed", job, job.public_id, summary, full, at=at)

    def ended(self, job: Job) -> None:
        """Tell of a job that failed or was canceled."""
        links = {"job_id": job.public_id}
        summary = f"{job.get_operation_display().capitalize()} job {job.status}"
        at = job.completed_at or job.created_at
        self._event("job.completed", job, job.public_id, summary, links, at=at)

    def uploaded(self, job: Job, asset: Asset) -> None:
        """Tell of an upload."""
        links = {"job_id": job.public_id, "asset_ids": [asset.public_id]}
        summary = "Image uploaded"
        self._event("asset.uploaded", job, asset.public_id, summary, links, at=job.created_at)

    def measured(self, player: Player, job: Job) -> None:
        """Write the telemetry of a job that ended."""
        ended = job.completed_at or job.created_at
        self.sheets.add(
            TelemetryRow(
                at=ended,
                kind="job",
                name=notifications.COMMANDS[Job.Operation(job.operation)],
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
        self.sheets.add(
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
                cost=notifications.cost_summary(job),
            )
        )
