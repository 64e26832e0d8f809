"""The evidence of a dispute: drafted, edited, handed to the bank once."""

from typing import ClassVar

from django.db import models

from accounts.models import User
from billing.models.reversals import PaymentReversal
from imageskill.lib import clock


class DisputeEvidence(models.Model):
    """What we say to one dispute, under the names that Stripe gives the parts."""

    reversal = models.OneToOneField(
        PaymentReversal, on_delete=models.PROTECT, related_name="evidence", primary_key=True
    )
    parts = models.JSONField(default=dict)
    edited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    edited_at = models.DateTimeField(default=clock.now)
    sent_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "dispute evidence"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="evidence_sent_by_somebody",
                condition=models.Q(sent_at__isnull=True, sent_by__isnull=True)
                | models.Q(sent_at__isnull=False, sent_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"evidence of {self.reversal_id}"
