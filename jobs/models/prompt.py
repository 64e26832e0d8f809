"""The prompt, in a row of its own: it expires, and nothing else shows it."""

from datetime import datetime
from typing import ClassVar

from django.db import models

from imageskill.lib import clock
from jobs import states
from jobs.models.job import Job


class PromptQuerySet(models.QuerySet["Prompt"]):
    """Sets of prompts."""

    def expired(self, *, before: datetime) -> "PromptQuerySet":
        """Narrow to prompts of ended jobs that were given before that moment."""
        return self.filter(created_at__lt=before, job__status__in=states.FINAL)


class Prompt(models.Model):
    """What a caller asked for, in the caller's words."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="prompt")
    text = models.TextField()
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects: ClassVar = PromptQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["created_at"], name="prompt_by_age")]

    def __str__(self) -> str:
        return f"prompt of {self.job_id}"  # never the text
