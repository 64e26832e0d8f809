"""Activity events, which agents can read: append-only, recorded with what caused them."""

from functools import partial
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from accounts.models.agents import Agent, Organization
from imageskill.lib import clock, ids
from imageskill.lib.exact_json import ExactJSONField


class ActivityEvent(models.Model):
    """One event of a type in `accounts.event_types`; written by `accounts.activity`."""

    public_id = models.CharField(
        max_length=64, unique=True, default=partial(ids.new, "event"), editable=False
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, related_name="+")
    type = models.CharField(max_length=64)
    occurred_at = models.DateTimeField(default=clock.now)
    summary = models.CharField(max_length=300)
    operation = models.CharField(max_length=32)
    subject_type = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=128)
    status = models.CharField(max_length=32)
    links = models.JSONField(default=dict)
    cost = ExactJSONField(null=True)
    details = models.JSONField(default=dict)
    trace_id = models.CharField(max_length=64, blank=True)
    references = ArrayField(models.CharField(max_length=128), default=list)

    class Meta:
        verbose_name = "activity event"
        verbose_name_plural = "activity"
        indexes: ClassVar = [
            models.Index(fields=["organization", "-id"], name="activity_newest_of"),
            models.Index(fields=["agent", "-id"], name="activity_of_agent"),
            models.Index(fields=["type", "-id"], name="activity_by_type"),
            GinIndex(fields=["references"], name="activity_by_reference"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.public_id}"
