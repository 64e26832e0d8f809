"""The inbox of Stripe's events: stored once each, handled once each, replayable."""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from imageskill.lib import clock


class StripeEventQuerySet(models.QuerySet["StripeEvent"]):
    """Sets of events."""

    def waiting(self, *, now: datetime) -> "StripeEventQuerySet":
        """Narrow to events whose handling is due, oldest first."""
        return self.filter(
            state__in=(StripeEvent.State.RECEIVED, StripeEvent.State.FAILED),
            next_attempt_at__lte=now,
        ).order_by("next_attempt_at")


class StripeEvent(models.Model):
    """One event, whichever way and however often it came."""

    class State(models.TextChoices):
        """What became of it; written with its effects, in one transaction."""

        RECEIVED = "received", "received"  # stored, not handled yet
        HANDLED = "handled", "handled"  # its effects are in the books
        FAILED = "failed", "failed"  # handling raised; tried again, replayable
        IGNORED = "ignored", "ignored"  # not ours, wrong mode, or a type we don't use

    event_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=100)
    object_id = models.CharField(max_length=255, blank=True)
    related_ids = ArrayField(models.CharField(max_length=255), default=list)
    is_live_mode = models.BooleanField()
    payload = models.JSONField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.RECEIVED)
    outcome = models.CharField(max_length=200, blank=True)
    error = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=0)
    deliveries = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    received_at = models.DateTimeField(default=clock.now, editable=False)
    handled_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField()

    objects: ClassVar = StripeEventQuerySet.as_manager()

    class Meta:
        verbose_name = "Stripe event"
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at"],
                name="stripe_event_waiting",
                condition=models.Q(state__in=("received", "failed")),
            ),
            models.Index(fields=["state", "-id"], name="stripe_event_by_state"),
            models.Index(fields=["type", "-id"], name="stripe_event_by_type"),
            models.Index(fields=["object_id"], name="stripe_event_by_object"),
            GinIndex(fields=["related_ids"], name="stripe_event_by_related"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="stripe_event_handled_has_its_moment",
                condition=models.Q(state="handled", handled_at__isnull=False)
                | (~models.Q(state="handled") & models.Q(handled_at__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return self.event_id
