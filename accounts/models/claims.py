"""Claim requests and their recipients."""

from functools import partial
from typing import ClassVar

from django.db import models

from accounts.models.agents import Agent
from accounts.models.users import User
from imageskill.lib import clock, ids


class ClaimRecipient(models.Model):
    """An email that agents have named. Its row is locked to count limits, and unsubscribed."""

    address = models.CharField("mail address", max_length=254, unique=True)
    # What all spellings of one inbox share, by `contacts.inbox_of`: limits count by it.
    inbox = models.CharField(max_length=254, db_index=True, db_default="", editable=False)
    stopped_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return self.address

    @property
    def is_stopped(self) -> bool:
        """Whether the recipient unsubscribed."""
        return self.stopped_at is not None


class Claim(models.Model):
    """One request to claim an agent; written by `accounts.claims`."""

    class State(models.TextChoices):
        """The state of the request. All but the first are final."""

        REQUESTED = "requested", "Requested"  # waits for its reader
        ACCEPTED = "accepted", "Accepted"  # the reader became the agent's sponsor
        DECLINED = "declined", "Declined"  # the agent stays as it was
        REPORTED = "reported", "Reported"  # the agent is suspended until staff have looked
        REPLACED = "replaced", "Replaced"  # a newer request took its place
        EXPIRED = "expired", "Expired"  # nobody decided in time

    class Withheld(models.TextChoices):
        """Why no email was sent. The agent isn't told: it would reveal something about a person."""

        NO = "", "Mailed"
        STOPPED = "stopped", "Recipient unsubscribed"
        LIMIT = "limit", "Mail limit of the inbox reached"
        UNMAILABLE = "unmailable", "Undeliverable domain"

    public_id = models.CharField(
        max_length=64, unique=True, default=partial(ids.new, "claim"), editable=False
    )
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="claims")
    recipient = models.ForeignKey(ClaimRecipient, on_delete=models.PROTECT, related_name="claims")
    invited_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.REQUESTED)
    withheld = models.CharField(
        max_length=16, choices=Withheld.choices, default=Withheld.NO, blank=True
    )
    digest = models.BinaryField(max_length=32, null=True, unique=True)  # of the mailed token
    created_at = models.DateTimeField(default=clock.now, editable=False)
    mail_tried_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["recipient", "-created_at"], name="claim_of_recipient"),
            models.Index(fields=["agent", "-id"], name="claim_of_agent"),
            models.Index(fields=["state", "-id"], name="claim_by_state"),
            models.Index(fields=["withheld", "-id"], name="claim_by_withheld"),
            models.Index(
                fields=["created_at"],
                name="claim_to_mail",
                condition=models.Q(state="requested", withheld="", mailed_at__isnull=True),
            ),
            models.Index(
                fields=["expires_at"],
                name="claim_to_expire",
                condition=models.Q(state="requested"),
            ),
            models.Index(
                fields=["mailed_at"],
                name="claim_mailed",
                condition=models.Q(mailed_at__isnull=False),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="claim_open_once_an_agent",
                fields=["agent"],
                condition=models.Q(state="requested"),
            ),
            models.CheckConstraint(
                name="claim_decided_has_its_moment",
                condition=models.Q(state="requested", decided_at__isnull=True)
                | (~models.Q(state="requested") & models.Q(decided_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="claim_accepted_by_somebody",
                condition=~models.Q(state="accepted") | models.Q(decided_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} ({self.state})"

    @property
    def is_open(self) -> bool:
        """Whether it has no decision yet; it can be past its expiry all the same."""
        return self.state == self.State.REQUESTED
