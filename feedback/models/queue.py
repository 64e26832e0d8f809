"""The queue to GitHub: which report is queued, and its issue."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from feedback.models.reports import Report
from feedback.states import STATES_WITH_ISSUE, QueueMode, QueueState
from imageskill.lib import clock


class QueueItemQuerySet(models.QuerySet["QueueItem"]):
    """Sets of items."""

    def due(self, *, repository: str, now: datetime) -> "QueueItemQuerySet":
        """Narrow to what a worker may process now, in the order it was queued."""
        return self.filter(
            repository=repository, state=QueueState.QUEUED, next_attempt_at__lte=now
        ).order_by("next_attempt_at", "id")

    def promoted_since(self, *, repository: str, since: datetime) -> "QueueItemQuerySet":
        """Narrow to issues created since a moment, as the daily limit counts them."""
        return self.filter(
            repository=repository, state=QueueState.PROMOTED, processed_at__gte=since
        )

    def unfollowed(self) -> "QueueItemQuerySet":
        """Narrow to items whose issue the report's duplicates are not linked to yet."""
        return self.filter(
            state__in=(QueueState.PROMOTED, QueueState.ALREADY_MIRRORED), followed_at=None
        )


class QueueItem(models.Model):
    """A report's entry in the queue; written by the modules of `feedback.github_queue`.

    The issue's text is not stored: it is built from the report, redacted, each time it is needed.
    """

    State = QueueState
    Mode = QueueMode

    report = models.OneToOneField(Report, on_delete=models.PROTECT, related_name="queue_item")
    repository = models.CharField(max_length=140)  # owner/name
    state = models.CharField(max_length=16, choices=QueueState.choices, default=QueueState.QUEUED)
    mode = models.CharField(max_length=8, choices=QueueMode.choices)
    reason = models.CharField(max_length=64, blank=True)  # a short code; public
    problem = models.CharField(max_length=300, blank=True)  # for staff
    queued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    queued_at = models.DateTimeField(default=clock.now)
    next_attempt_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveSmallIntegerField(default=0)  # those that count towards giving up
    create_began_at = models.DateTimeField(null=True)  # a call that may have created the issue
    processed_at = models.DateTimeField(null=True)  # when the outcome was known
    followed_at = models.DateTimeField(null=True)  # when the duplicates were linked too

    issue_number = models.PositiveBigIntegerField(null=True)
    issue_url = models.URLField(max_length=300, blank=True)
    issue_state = models.CharField(max_length=16, blank=True)  # open, closed
    issue_labels = ArrayField(models.CharField(max_length=100), default=list)
    issue_updated_at = models.DateTimeField(null=True)  # at GitHub; anything older is dropped

    objects: ClassVar = QueueItemQuerySet.as_manager()

    class Meta:
        verbose_name = "GitHub queue item"
        verbose_name_plural = "GitHub queue"
        indexes: ClassVar = [
            models.Index(fields=["state", "-id"], name="queue_item_by_state"),
            models.Index(
                fields=["repository", "next_attempt_at", "id"],
                name="queue_item_due",
                condition=models.Q(state="queued"),
            ),
            models.Index(
                fields=["id"],
                name="queue_item_unfollowed",
                condition=models.Q(
                    state__in=("promoted", "already_mirrored"), followed_at__isnull=True
                ),
            ),
            models.Index(fields=["repository", "issue_number"], name="queue_item_of_issue"),
            models.Index(fields=["processed_at"], name="queue_item_by_outcome"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["repository", "issue_number"],
                name="queue_item_one_report_for_an_issue",
                condition=models.Q(state__in=("promoted", "already_mirrored")),
            ),
            models.CheckConstraint(
                name="queue_item_has_an_issue_where_its_state_says_so",
                condition=models.Q(state__in=STATES_WITH_ISSUE, issue_number__isnull=False)
                | (~models.Q(state__in=STATES_WITH_ISSUE) & models.Q(issue_number__isnull=True)),
            ),
            models.CheckConstraint(
                name="queue_item_ended_has_its_moment",
                condition=models.Q(state="queued", processed_at__isnull=True)
                | (~models.Q(state="queued") & models.Q(processed_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.repository}#{self.issue_number}" if self.issue_number else self.repository

    @property
    def has_issue(self) -> bool:
        """Whether there is an issue for the report."""
        return self.state in STATES_WITH_ISSUE


class GithubRepository(models.Model):
    """The state of one repository: until when it is paused, and up to when it was polled."""

    name = models.CharField(max_length=140, unique=True)
    paused_until = models.DateTimeField(null=True)
    pause_reason = models.CharField(max_length=64, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)  # in a row; the pause doubles
    read_up_to = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "GitHub repositories"

    def __str__(self) -> str:
        return self.name
