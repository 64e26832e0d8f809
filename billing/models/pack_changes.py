"""Changes of packs: asked for by finance, decided by a second person."""

from typing import ClassVar

from django.db import models

from billing.models.approvals import ApprovalRequest


class PackChange(ApprovalRequest):
    """How a pack is to be from now on; quotes that were made keep their terms."""

    pack_id = models.SlugField(max_length=64)
    name = models.CharField(max_length=80)
    display_name = models.CharField(max_length=120)
    credits = models.PositiveIntegerField()
    is_offered = models.BooleanField(default=True)
    is_default = models.BooleanField(default=False)

    class Meta(ApprovalRequest.Meta):
        indexes: ClassVar = [models.Index(fields=["state", "-id"], name="pack_change_by_state")]
        constraints: ClassVar = [
            *ApprovalRequest.Meta.constraints,
            models.CheckConstraint(
                name="pack_change_has_credits",
                condition=models.Q(credits__gte=1, credits__lte=5000),
            ),
            models.CheckConstraint(
                name="pack_change_default_is_offered",
                condition=models.Q(is_default=False) | models.Q(is_offered=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pack_id}: {self.credits} credits"
