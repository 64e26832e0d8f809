"""What finished jobs cost their owner and the house."""

from functools import partial
from typing import ClassVar

from django.db import models

from accounts.models import Agent, Organization
from imageskill.lib import clock, ids
from jobs.models.job import Job


class Usage(models.Model):
    """The charge of one completed job: what its event `usage.credit_consumed` speaks of."""

    public_id = models.CharField(
        max_length=64, unique=True, default=partial(ids.new, "usage"), editable=False
    )
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="usage")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="+")
    credits = models.PositiveIntegerField()
    preview_credits = models.PositiveIntegerField()
    paid_credits = models.PositiveIntegerField()
    provider_usd = models.DecimalField(
        "provider cost (USD)", max_digits=12, decimal_places=6, null=True
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name_plural = "usage"
        indexes: ClassVar = [
            models.Index(fields=["organization", "-id"], name="usage_newest_of"),
            models.Index(fields=["agent", "created_at"], name="usage_of_agent_by_age"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="usage_adds_up",
                condition=models.Q(
                    credits__gt=0,
                    credits=models.F("preview_credits") + models.F("paid_credits"),
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Loss(models.Model):
    """What a provider may bill or did bill for a job that its owner does not pay for."""

    class Reason(models.TextChoices):
        """How it came about."""

        UNDECODABLE = "undecodable", "Output can't be decoded"
        NOT_STORED = "not_stored", "Output was not stored"
        CANCELED = "canceled", "Canceled during generation"
        OUTCOME_UNKNOWN = "outcome_unknown", "Outcome unknown; possible cost"
        ABOVE_HOLD = "above_hold", "Usage exceeded the hold"
        BILLED_REFUSAL = "billed_refusal", "Refused by the provider, billed"
        BROKEN_RUN = "broken_run", "Failed at the provider, billed"
        TOO_LATE = "too_late", "Deadline exceeded"

    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="losses")
    reason = models.CharField(max_length=16, choices=Reason.choices)
    usd = models.DecimalField(
        "cost (USD)", max_digits=12, decimal_places=6, null=True
    )  # null: not known
    created_at = models.DateTimeField(default=clock.now, editable=False)
    closed_at = models.DateTimeField(null=True)  # somebody has looked into it; the audit says why

    class Meta:
        verbose_name = "absorbed cost"
        verbose_name_plural = "absorbed costs"
        indexes: ClassVar = [
            models.Index(fields=["reason", "-id"], name="loss_by_reason"),
            models.Index(
                fields=["reason", "-id"], name="loss_open", condition=models.Q(closed_at=None)
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "reason"], name="loss_once_for_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.reason} of {self.job_id}"
