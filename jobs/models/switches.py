"""What staff have switched off: models and whole providers."""

from typing import ClassVar

from django.db import models

from accounts.models import User


class Switch(models.Model):
    """One model or provider that was switched off, or on again; those never touched have none."""

    class Kind(models.TextChoices):
        """What is switched."""

        MODEL = "model", "Model"
        PROVIDER = "provider", "Provider"  # all models of a provider

    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=128)  # a model's id, a provider's name
    is_on = models.BooleanField()
    reason = models.CharField(max_length=300)
    changed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "switches"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "name"], name="switch_once_for_a_thing"),
            models.CheckConstraint(name="switch_has_a_reason", condition=~models.Q(reason="")),
        ]

    def __str__(self) -> str:
        """Read like a sentence."""
        return f"{self.kind} {self.name} is {'on' if self.is_on else 'off'}"
