"""Credit adjustments by staff: goodwill, corrections of a balance, and debts written off."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Organization
from billing.models.approvals import ApprovalRequest


class CreditCorrection(ApprovalRequest):
    """A movement that one person requests and, except for small goodwill, another approves."""

    class Kind(models.TextChoices):
        """What moves."""

        GOODWILL = "goodwill", "Goodwill credits"
        ADJUST_PREVIEW = "adjust_preview", "Preview credits adjusted"
        ADJUST_PAID = "adjust_paid", "Paid credits adjusted"
        WRITE_OFF = "write_off", "Debt written off"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="corrections"
    )
    credits = models.IntegerField()  # negative where an adjustment takes credits away
    applied_credits = models.IntegerField(null=True, blank=True)

    class Meta(ApprovalRequest.Meta):
        verbose_name = "credit adjustment"
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
