"""Reports of agents."""

from functools import partial
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from accounts.models import Agent, Organization
from feedback.states import ReportState
from imageskill.lib import clock, ids


class Report(models.Model):
    """One accepted report, in the agent's own words; triage changes its state, never its text."""

    State = ReportState

    class Severity(models.TextChoices):
        """How severe it is, in the agent's view."""

        LOW = "low", "Low"
        MEDIUM = "medium", "Medium"
        HIGH = "high", "High"
        CRITICAL = "critical", "Critical"

    class Confidence(models.TextChoices):
        """How sure the agent is."""

        LOW = "low", "Low"
        MEDIUM = "medium", "Medium"
        HIGH = "high", "High"

    public_id = models.CharField(
        max_length=64, unique=True, default=partial(ids.new, "feedback"), editable=False
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="reports")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    state = models.CharField(max_length=16, choices=State.choices, default=State.NEW)
    type = models.CharField(max_length=40)
    title = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    command = models.TextField(blank=True)
    expected = models.TextField(blank=True)
    actual = models.TextField(blank=True)
    friction = models.TextField(blank=True)
    proof_needed = models.TextField(blank=True)
    strategic_reason = models.TextField(blank=True)
    surface = ArrayField(models.CharField(max_length=40), default=list)
    evidence = ArrayField(models.CharField(max_length=300), default=list)
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.MEDIUM)
    confidence = models.CharField(
        max_length=8, choices=Confidence.choices, default=Confidence.MEDIUM
    )
    next_state = models.CharField("requested state", max_length=40, default="watch")
    dedupe_key = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=80, blank=True)
    trace_id = models.CharField(max_length=64, blank=True)  # of the call reported about
    quality_score = models.PositiveSmallIntegerField(default=0)  # 0 to 100
    is_weak = models.BooleanField("weak signal", default=False)
    duplicate_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="duplicates"
    )
    repeats = models.PositiveIntegerField(default=0)  # how often it was reported again

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["state", "-id"], name="report_by_state"),
            models.Index(fields=["agent", "-id"], name="report_of_agent"),
            models.Index(fields=["agent", "dedupe_key", "id"], name="report_of_agent_by_key"),
            models.Index(fields=["severity", "-id"], name="report_by_severity"),
            models.Index(fields=["state", "severity", "-id"], name="report_by_state_and_severity"),
            models.Index(fields=["dedupe_key"], name="report_by_dedupe_key"),
            models.Index(fields=["trace_id"], name="report_of_trace"),
            GinIndex(fields=["title"], name="report_title_trigrams", opclasses=["gin_trgm_ops"]),
            GinIndex(fields=["body"], name="report_body_trigrams", opclasses=["gin_trgm_ops"]),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="report_says_something",
                condition=~models.Q(title="") | ~models.Q(body=""),
            ),
            models.CheckConstraint(
                name="report_is_not_its_own_duplicate",
                condition=models.Q(duplicate_of__isnull=True)
                | ~models.Q(duplicate_of=models.F("id")),
            ),
            models.CheckConstraint(
                name="report_is_duplicate_of_another",
                condition=models.Q(state="duplicate", duplicate_of__isnull=False)
                | (~models.Q(state="duplicate") & models.Q(duplicate_of__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.public_id
