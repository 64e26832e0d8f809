"""Queries of sponsor pages: agents, their images and jobs, and what they cost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, QuerySet, Sum

from accounts.models import Agent, User
from jobs.models import Asset, Job, Usage

RECENT_PERIOD = timedelta(days=30)
_LATEST_IMAGES = 4  # shown for each agent in the list


@dataclass(frozen=True, slots=True)
class AgentUsageSummary:
    """Images, jobs and credits of an agent in the last 30 days."""

    images: int
    jobs: int
    credits: int

    @property
    def credits_per_image(self) -> str:
        """The average credits per image, to one decimal."""
        return f"{self.credits / self.images:.1f}" if self.images else "–"


NO_USAGE = AgentUsageSummary(images=0, jobs=0, credits=0)


def agents_for(user: User) -> QuerySet[Agent]:
    """Return a sponsor's agents, newest first, with the ids of their `latest_images`."""
    image_ids = (
        Asset.objects.filter(agent=OuterRef("pk"), state=Asset.State.AVAILABLE)
        .exclude(thumbnail_key="")
        .order_by("-id")
        .values("public_id")[:_LATEST_IMAGES]
    )
    return (
        Agent.objects.owned_by(user)
        .select_related("organization")
        .annotate(latest_images=ArraySubquery(image_ids))
        .order_by("-id")
    )


def recent_usage(agents: Iterable[Agent], *, now: datetime) -> dict[int, AgentUsageSummary]:
    """Return each agent's usage of the last 30 days by primary key, with one query."""
    rows = (
        Usage.objects.filter(agent__in=list(agents), created_at__gte=now - RECENT_PERIOD)
        .values("agent_id")
        .annotate(jobs=Count("id"), spent=Sum("credits"), images=Sum("job__output_count"))
    )
    return {
        row["agent_id"]: AgentUsageSummary(
            images=row["images"], jobs=row["jobs"], credits=row["spent"]
        )
        for row in rows
    }


def images_for(agent: Agent) -> QuerySet[Asset]:
    """Return an agent's images, newest first, including deleted and withdrawn ones."""
    return Asset.objects.filter(agent=agent).select_related("job").order_by("-id")


def jobs_for(agent: Agent) -> QuerySet[Job]:
    """Return an agent's jobs, newest first, without uploads, which are free."""
    return Job.objects.filter(agent=agent).exclude(operation=Job.Operation.UPLOAD).order_by("-id")
