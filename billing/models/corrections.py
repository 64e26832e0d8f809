"""Credits moved by staff: goodwill, adjustments, and debts written off."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Organization
from billing.models.approvals import ApprovalRequest


class CreditCorrection(ApprovalRequest):
    """A movement that a person asks for and, but for small goodwill, another one approves."""

    class Kind(models.TextChoices):
        """What is to be moved."""

        GOODWILL = "goodwill", "free credits as goodwill"
        ADJUST_PREVIEW = "adjust_preview", "free credits corrected"
        ADJUST_PAID = "adjust_paid", "bought credits corrected"
        WRITE_OFF = "write_off", "a debt written off"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="corrections"
    )
    credits = models.IntegerField()  # negative where an adjustment takes credits away
    applied_credits = models.IntegerField(null=True, blank=True)

    class Meta(ApprovalRequest.Meta):
        indexes: ClassVar = [
            models.Index(fields=["state", "-id"], name="correction_by_state"),
            models.Index(fields=["kind", "-id"], name="correction_by_kind"),
        ]
        constraints: ClassVar = [
            *ApprovalRequest.Meta.constraints,
            models.CheckConstraint(
                name="correction_of_something",
                condition=Q(credits__gt=0)
                | Q(credits__lt=0, kind__in=("adjust_preview", "adjust_paid")),
            ),
            models.CheckConstraint(
                name="correction_alone_only_as_goodwill",
                condition=Q(kind="goodwill") | Q(needs_second_person=True),
            ),
            models.CheckConstraint(
                name="correction_applied_when_approved",
                condition=Q(state="approved", applied_credits__isnull=False)
                | (~Q(state="approved") & Q(applied_credits__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.credits} credits"
