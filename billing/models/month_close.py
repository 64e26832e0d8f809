"""Closed months: figures frozen, and chained by a digest."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models import User
from imageskill.lib import clock


class MonthClose(models.Model):
    """The figures of one month; each digest covers the figures and the digest before it.

    A month that is reopened keeps its row; closing it again makes a further one.
    """

    month = models.DateField()  # its first day
    version = models.PositiveSmallIntegerField(default=1)
    figures = models.JSONField()
    previous_digest = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64, unique=True)
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(default=clock.now)
    reopen_asked_by = models.ForeignKey(
        User,
        verbose_name="reopening requested by",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    reopen_reason = models.CharField(max_length=1000, blank=True)
    reopened_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reopened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-month", "-version"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="month_close_once_a_version", fields=["month", "version"]),
            models.UniqueConstraint(
                name="month_close_one_in_force",
                fields=["month"],
                condition=Q(reopened_at__isnull=True),
            ),
            models.CheckConstraint(
                name="month_close_reopened_by_a_second_person",
                condition=Q(reopened_at__isnull=True, reopened_by__isnull=True)
                | Q(
                    reopened_at__isnull=False,
                    reopened_by__isnull=False,
                    reopen_asked_by__isnull=False,
                )
                & ~Q(reopened_by=F("reopen_asked_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} version {self.version}"
