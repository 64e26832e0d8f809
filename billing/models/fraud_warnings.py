"""Early fraud warnings: what a card network reported of a charge. They move nothing."""

from typing import ClassVar

from django.db import models

from imageskill.lib import clock


class EarlyFraudWarning(models.Model):
    """A card issuer's report that a charge is probably fraudulent, as Stripe passes it on."""

    stripe_id = models.CharField(max_length=255, unique=True)
    charge_id = models.CharField(max_length=255)
    payment_intent_id = models.CharField(max_length=255, blank=True)
    fraud_type = models.CharField(max_length=64)
    is_actionable = models.BooleanField()  # refunding it may still prevent a dispute
    warned_at = models.DateTimeField()  # at Stripe
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["charge_id"], name="fraud_warning_by_charge")]

    def __str__(self) -> str:
        return f"early fraud warning {self.stripe_id}"
