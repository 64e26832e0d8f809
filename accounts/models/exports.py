"""Exports that take too long for a request: written by a worker, downloaded until they expire."""

from typing import ClassVar

from django.db import models

from accounts.models.users import User
from imageskill.lib import clock


class Export(models.Model):
    """One requested file with the rows of a filtered list."""

    class State(models.TextChoices):
        """The progress of the export."""

        WAITING = "waiting", "Queued"
        WRITING = "writing", "Writing"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    model = models.CharField(max_length=100)  # app_label.model_name
    query = models.CharField("filters", max_length=2000, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    rows = models.PositiveIntegerField(default=0)  # so far
    problem = models.CharField(max_length=100, blank=True, default="", db_default="")  # its class
    storage_key = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    downloads = models.PositiveIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="export_by_end")]

    def __str__(self) -> str:
        return f"{self.model} for {self.user_id}"
