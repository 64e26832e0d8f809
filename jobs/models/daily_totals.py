"""Daily totals of models, maintained by a task, so that no page scans history."""

from typing import ClassVar

from django.db import models


class ModelDay(models.Model):
    """How one model did on one UTC day, counted by when jobs ended."""

    day = models.DateField()
    model_id = models.CharField(max_length=128)
    provider_id = models.CharField(max_length=32)
    completed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    canceled = models.PositiveIntegerField(default=0)
    outputs = models.PositiveIntegerField(default=0)
    credits = models.BigIntegerField(default=0)  # captured, free ones included
    paid_credits = models.BigIntegerField(default=0)
    live_credits = models.BigIntegerField(default=0)  # of the paid ones: bought with live money
    provider_usd = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    lost_usd = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    median_s = models.FloatField(null=True)  # from the call to the stored image
    p95_s = models.FloatField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["day", "model_id"], name="figures_once_for_model_and_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} on {self.day}"
