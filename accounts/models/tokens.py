"""Tokens of agents. The text is shown once; its lookup characters and a hash are stored."""

from typing import ClassVar

from django.db import models

from accounts.models.agents import Agent
from imageskill.lib import clock


class Token(models.Model):
    """A restricted bearer token, `isk_r_` + 8 lookup characters + 43 secret characters."""

    class RevokedBecause(models.TextChoices):
        """Why a token no longer works."""

        ROTATED = "rotated", "Rotated"  # a newer one took its place
        REVOKED = "revoked", "Revoked"  # by sponsor or staff
        AGENT_REVOKED = "agent_revoked", "Agent revoked"  # with the whole agent
        TRANSFERRED = "transferred", "Agent transferred"  # the sponsor before knew it

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="tokens")
    lookup = models.CharField(max_length=16, unique=True)
    digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_because = models.CharField(max_length=16, choices=RevokedBecause.choices, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["agent", "-id"], name="token_of_agent"),
            models.Index(fields=["revoked_because", "-id"], name="token_by_end"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="token_revoked_says_why",
                condition=models.Q(revoked_at__isnull=True, revoked_because="")
                | (models.Q(revoked_at__isnull=False) & ~models.Q(revoked_because="")),
            ),
        ]

    def __str__(self) -> str:
        return self.prefix

    @property
    def prefix(self) -> str:
        """The part that is safe to show."""
        return f"isk_r_{self.lookup}…"

    @property
    def is_active(self) -> bool:
        """Whether the token was not revoked; its agent can be revoked all the same."""
        return self.revoked_at is None
