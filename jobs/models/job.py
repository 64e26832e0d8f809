"""A job: one create, edit or upload, from the call that asked for it to its end."""

from datetime import datetime
from functools import partial
from typing import ClassVar

from django.db import models

from accounts.models import Agent, Organization
from imageskill.lib import clock, ids
from jobs import states


class JobQuerySet(models.QuerySet["Job"]):
    """Sets of jobs."""

    def of(self, organization_id: int) -> "JobQuerySet":
        """Narrow to what one organization may see."""
        return self.filter(organization_id=organization_id)

    def unfinished(self) -> "JobQuerySet":
        """Narrow to jobs that hold credits and have not ended."""
        return self.filter(status__in=states.OPEN)

    def stalled(self, *, now: datetime) -> "JobQuerySet":
        """Narrow to started jobs that no live worker has and whose pause is over."""
        return self.filter(
            models.Q(leased_until__isnull=True) | models.Q(leased_until__lt=now),
            models.Q(pause_until__isnull=True) | models.Q(pause_until__lte=now),
            status__in=(states.RUNNING, states.STORING),
            outcome_unknown_at__isnull=True,
        )

    def waiting(self, *, before: datetime) -> "JobQuerySet":
        """Narrow to queued jobs whose last message was sent before that moment."""
        return self.filter(status=states.QUEUED, sent_at__lt=before)

    def overdue(self, *, now: datetime) -> "JobQuerySet":
        """Narrow to unfinished jobs past the deadline of the state they are in."""
        return self.unfinished().filter(deadline_at__lt=now)


class Job(models.Model):
    """The truth about a job; written by `jobs.submission`, `jobs.running.lifecycle` and uploads.

    `plan` is the plan as it was accepted, prices included, without the prompt: what staff change
    meanwhile does not touch a job that has begun.
    """

    class Operation(models.TextChoices):
        """What was asked for."""

        CREATE = "create", "Create"  # an image from a prompt
        EDIT = "edit", "Edit"  # an image from an image
        UPLOAD = "upload", "Upload"  # an image of the caller's; costs nothing

    public_id = models.CharField(
        max_length=64, unique=True, default=partial(ids.new, "job"), editable=False
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="+")
    operation = models.CharField(max_length=8, choices=Operation.choices)
    status = models.CharField(max_length=16, choices=states.CHOICES, default=states.QUEUED)
    trace_id = models.CharField(max_length=64)
    idempotency_key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    terms_digest = models.CharField(max_length=64, blank=True)  # of the request that the key names

    capability_id = models.CharField(max_length=128, blank=True)
    model_id = models.CharField("model", max_length=128, blank=True)
    provider_id = models.CharField("provider", max_length=32, blank=True)
    output_count = models.PositiveSmallIntegerField(default=1)
    plan = models.JSONField(default=dict)

    planned_usd = models.DecimalField(
        "estimated cost (USD)", max_digits=12, decimal_places=6, null=True
    )
    reported_usd = models.DecimalField(
        "actual cost (USD)", max_digits=12, decimal_places=6, null=True
    )
    credits_held = models.PositiveIntegerField("credits authorized", default=0)
    credits_captured = models.PositiveIntegerField("credits captured", null=True)

    created_at = models.DateTimeField(default=clock.now, editable=False)
    sent_at = models.DateTimeField(null=True)  # to a worker, last
    started_at = models.DateTimeField(null=True)
    call_began_at = models.DateTimeField(null=True)  # the submit under way, or the one that counts
    submitted_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    stored_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)  # the end, whichever it was
    deadline_at = models.DateTimeField(null=True)

    attempts = models.PositiveSmallIntegerField(default=0)  # submits to the provider
    redeliveries = models.PositiveSmallIntegerField(default=0)  # picked up after a worker was lost
    lease = models.CharField(max_length=32, blank=True)  # of the worker that has it
    leased_until = models.DateTimeField(null=True)
    pause_until = models.DateTimeField(null=True)  # before the next try

    provider_request_id = models.CharField(max_length=200, blank=True)
    provider_state = models.JSONField(null=True)  # what the adapter needs to collect
    provider_usage = models.JSONField(null=True)
    outcome_unknown_at = models.DateTimeField(null=True)
    storage_failed_at = models.DateTimeField(null=True)  # the first failure; empty once stored
    storage_attempts = models.PositiveSmallIntegerField(default=0)

    error_code = models.CharField(max_length=64, blank=True)
    error_message = models.CharField(max_length=300, blank=True)
    error_class = models.CharField(max_length=32, blank=True)  # of the providers' failure table
    # What the provider did not take, by its name in `jobs.providers.refusals`.
    refusal = models.CharField(max_length=32, blank=True, db_default="", default="")
    # Of a batch of which a part was delivered: for each of the others, why it is not there.
    missing_outputs = models.JSONField(
        default=list, db_default=models.Value([], models.JSONField()), blank=True
    )
    retry_at = models.DateTimeField(null=True)  # before it, the same again is not worth a try

    objects: ClassVar = JobQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization", "-id"], name="job_newest_of"),
            models.Index(fields=["agent", "-id"], name="job_of_agent"),
            models.Index(fields=["trace_id"], name="job_of_trace"),
            models.Index(fields=["provider_request_id"], name="job_of_provider_request"),
            models.Index(fields=["model_id", "-id"], name="job_of_model"),
            models.Index(fields=["status", "-id"], name="job_by_status"),
            models.Index(fields=["operation", "-id"], name="job_by_operation"),
            models.Index(fields=["created_at"], name="job_by_day"),
            models.Index(
                fields=["error_code", "-id"],
                name="job_by_error",
                condition=~models.Q(error_code=""),
            ),
            models.Index(fields=["-completed_at"], name="job_by_end"),
            models.Index(
                fields=["deadline_at"], name="job_open", condition=models.Q(completed_at=None)
            ),
            models.Index(
                fields=["id"],
                name="job_uncharged",  # there should be none
                condition=models.Q(
                    status=states.COMPLETED, credits_captured__isnull=True, credits_held__gt=0
                ),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agent", "idempotency_key"], name="job_once_for_an_idempotency_key"
            ),
            models.CheckConstraint(
                name="job_status_is_known", condition=models.Q(status__in=states.ALL)
            ),
            models.CheckConstraint(
                name="job_ended_has_its_moment",
                condition=models.Q(status__in=states.FINAL, completed_at__isnull=False)
                | models.Q(status__in=states.OPEN, completed_at__isnull=True),
            ),
            models.CheckConstraint(
                name="job_live_holds_credits",
                condition=models.Q(operation="upload", credits_held=0)
                | (~models.Q(operation="upload") & models.Q(credits_held__gt=0)),
            ),
            models.CheckConstraint(
                name="job_captures_at_most_its_hold_and_only_completed",
                condition=models.Q(credits_captured__isnull=True)
                | models.Q(status=states.COMPLETED, credits_captured__lte=models.F("credits_held")),
            ),
            models.CheckConstraint(
                name="job_failed_says_why",
                condition=~models.Q(status=states.FAILED) | ~models.Q(error_code=""),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.status in states.FINAL

    @property
    def is_outcome_unknown(self) -> bool:
        """Whether a call to the provider was cut off, so that its outcome is not known."""
        return self.outcome_unknown_at is not None and not self.is_final
