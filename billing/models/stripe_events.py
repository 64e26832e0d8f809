"""The inbox of Stripe's events: each is stored once, processed once, and can be replayed."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from imageskill.lib import inbox


class StripeEvent(inbox.WebhookEvent):
    """One event of Stripe's."""

    KEY = "event_id"
    TASK = "billing.handle_stripe_event"

    event_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=100)
    object_id = models.CharField(max_length=255, blank=True)
    related_ids = ArrayField(models.CharField(max_length=255), default=list)
    is_live_mode = models.BooleanField()
    payload = models.JSONField()
    created_at = models.DateTimeField()  # at Stripe

    class Meta:
        verbose_name = "Stripe event"
        indexes: ClassVar = [
            inbox.due_index("stripe_event_waiting"),
            models.Index(fields=["state", "-id"], name="stripe_event_by_state"),
            models.Index(fields=["type", "-id"], name="stripe_event_by_type"),
            models.Index(fields=["object_id"], name="stripe_event_by_object"),
            GinIndex(fields=["related_ids"], name="stripe_event_by_related"),
        ]
        constraints: ClassVar = [inbox.handled_constraint("stripe_event_handled_has_its_moment")]
