"""Agents, and the organizations that own their images and credits."""

from functools import partial
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models.users import User
from imageskill.lib import clock, ids


class Organization(models.Model):
    """Owner of wallets, jobs and assets. Created with its first agent; a user can own several."""

    public_id = models.CharField(
        max_length=64, unique=True, default=partial(ids.new, "organization"), editable=False
    )
    owner = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="organizations",
    )
    # Of its images, counted by a trigger on theirs (jobs): no writer can forget it.
    stored_bytes = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return self.public_id


class AgentQuerySet(models.QuerySet["Agent"]):
    """Filters of agents."""

    def owned_by(self, user: User) -> "AgentQuerySet":
        """Return the agents of the organizations that this user owns."""
        return self.filter(organization__owner=user)


class Agent(models.Model):
    """The identity of an agent, which outlives its tokens."""

    class ClaimState(models.TextChoices):
        """Whether a person is responsible for the agent; see `accounts.claims.states`."""

        UNCLAIMED = "unclaimed", "Unclaimed"  # preview credits, two jobs a day
        PAYMENT_BACKED_UNCLAIMED = "payment_backed_unclaimed", "Paid, unclaimed"  # bounded paid use
        CLAIMED = "claimed", "Claimed"  # a sponsor decides grants and caps
        REVOKED = "revoked", "Revoked"  # for good: its tokens answer AUTH_REQUIRED

    class ClaimRequestState(models.TextChoices):
        """The state of the latest request to claim the agent."""

        NONE = "none", "None"
        REQUESTED = "requested", "Requested"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        REPORTED = "reported", "Reported"
        EXPIRED = "expired", "Expired"

    public_id = models.CharField(
        max_length=64, unique=True, default=partial(ids.new, "agent"), editable=False
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="agents")
    name = models.CharField(max_length=80)
    runtime = models.CharField(max_length=80)
    contact = models.CharField("contact email", max_length=254, blank=True)
    claim_state = models.CharField(
        max_length=32, choices=ClaimState.choices, default=ClaimState.UNCLAIMED
    )
    claim_request_state = models.CharField(
        "claim request",
        max_length=16,
        choices=ClaimRequestState.choices,
        default=ClaimRequestState.NONE,
    )
    grants = ArrayField(models.CharField(max_length=32), verbose_name="permissions", default=list)
    cap_outputs_per_request = models.PositiveIntegerField("max images per job")
    cap_credits_per_operation = models.PositiveIntegerField("per-job limit")
    cap_credits_per_day = models.PositiveIntegerField("daily limit", null=True, blank=True)
    cap_credits_per_week = models.PositiveIntegerField("weekly limit", null=True, blank=True)
    cap_credits_per_month = models.PositiveIntegerField("monthly limit", null=True, blank=True)
    cap_credits_total = models.PositiveIntegerField("total limit", null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspension_reason = models.CharField(max_length=500, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    signup_network = models.CharField(max_length=64, blank=True)
    discovery_source = models.CharField(max_length=200, blank=True)
    session_origin = models.CharField(max_length=32, default="agent_signup")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    last_seen_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar = AgentQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="agent_newest"),
            models.Index(fields=["contact", "-id"], name="agent_by_contact"),
            models.Index(fields=["signup_network", "-id"], name="agent_by_network"),
            models.Index(fields=["claim_state", "-id"], name="agent_by_claim_state"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="agent_revoked_has_its_moment",
                condition=models.Q(claim_state="revoked", revoked_at__isnull=False)
                | (~models.Q(claim_state="revoked") & models.Q(revoked_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="agent_caps_allow_something",
                condition=models.Q(cap_outputs_per_request__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"

    @property
    def is_revoked(self) -> bool:
        """Whether it was revoked, which is final."""
        return self.claim_state == self.ClaimState.REVOKED

    @property
    def is_suspended(self) -> bool:
        """Whether it can read and send feedback, but not spend or upload."""
        return self.suspended_at is not None
