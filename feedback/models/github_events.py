"""The inbox of GitHub's events: stored once each, handled once each, replayable."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from imageskill.lib import inbox


class GithubEvent(inbox.WebhookEvent):
    """One event of GitHub's: which issue it is about and how that is, never the issue's text."""

    KEY = "delivery_id"
    TASK = "feedback.handle_github_event"

    delivery_id = models.CharField(max_length=64, unique=True)
    event = models.CharField(max_length=40)
    action = models.CharField(max_length=40, blank=True)
    repository = models.CharField(max_length=140, blank=True)
    issue_number = models.PositiveBigIntegerField(null=True)
    issue_state = models.CharField(max_length=16, blank=True)
    issue_labels = ArrayField(models.CharField(max_length=100), default=list)
    issue_updated_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "GitHub event"
        indexes: ClassVar = [
            inbox.due_index("github_event_due"),
            models.Index(fields=["state", "-id"], name="github_event_by_state"),
            models.Index(fields=["repository", "issue_number"], name="github_event_of_issue"),
        ]
        constraints: ClassVar = [inbox.handled_constraint("github_event_handled_has_its_moment")]

    def __str__(self) -> str:
        return f"{self.event} {self.action} {self.repository}#{self.issue_number}"

    @property
    def is_replayable(self) -> bool:
        """Whether it is about an issue, so that it can be handled (again)."""
        return self.issue_updated_at is not None
