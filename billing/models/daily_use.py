"""Counters: what an agent used in a day, and how many starter grants a source received."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from imageskill.lib.updated_at import UpdatedAtField


class DailyUse(models.Model):
    """Jobs and credits of one agent on one UTC day, less what was returned."""

    agent = models.ForeignKey(
        "accounts.Agent", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    day = models.DateField()
    jobs = models.PositiveIntegerField(default=0)
    credits = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "daily usage"
        verbose_name_plural = "daily usage"
        constraints: ClassVar = [
            models.UniqueConstraint(name="daily_use_one_a_day", fields=["agent", "day"]),
            models.CheckConstraint(
                name="daily_use_is_never_negative", condition=Q(jobs__gte=0, credits__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.jobs} jobs on {self.day}"


class StarterCount(models.Model):
    """Starter grants to one inbox (as a hash), to one network on one day, or on one day in all."""

    source = models.CharField(max_length=120, unique=True)
    grants = models.PositiveIntegerField(default=0)
    updated_at = UpdatedAtField()

    def __str__(self) -> str:
        return f"{self.grants} to {self.source}"
