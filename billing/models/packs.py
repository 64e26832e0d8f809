"""Credit packs on offer, and requests to change them."""

from typing import ClassVar

from django.db import models

from billing.models.approvals import ApprovalRequest
from imageskill.lib import clock
from imageskill.lib.updated_at import UpdatedAtField


class CreditPackQuerySet(models.QuerySet["CreditPack"]):
    """Sets of packs."""

    def offered(self) -> "CreditPackQuerySet":
        """Narrow to what can be bought today, smallest first."""
        return self.filter(is_offered=True).order_by("credits", "pack_id")


class CreditPack(models.Model):
    """A named amount. Quotes take a snapshot, so changing a pack changes no quote."""

    pack_id = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=80)
    display_name = models.CharField(max_length=120)
    credits = models.PositiveIntegerField()
    amount_cents = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default="USD")
    is_offered = models.BooleanField(default=True)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = UpdatedAtField()

    objects: ClassVar = CreditPackQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="pack_has_credits", condition=models.Q(credits__gte=1, credits__lte=5000)
            ),
            # One credit is one cent, in a pack too: refunds and deferred revenue rely on it.
            models.CheckConstraint(
                name="pack_costs_a_cent_a_credit",
                condition=models.Q(amount_cents=models.F("credits")),
            ),
            models.CheckConstraint(name="pack_is_in_dollars", condition=models.Q(currency="USD")),
            models.UniqueConstraint(
                name="pack_one_default",
                fields=["is_default"],
                condition=models.Q(is_default=True),
            ),
            models.CheckConstraint(
                name="pack_default_is_offered",
                condition=models.Q(is_default=False) | models.Q(is_offered=True),
            ),
        ]

    def __str__(self) -> str:
        return self.pack_id


class PackChange(ApprovalRequest):
    """A request to change a pack from now on; existing quotes keep their terms."""

    pack_id = models.SlugField(max_length=64)
    name = models.CharField(max_length=80)
    display_name = models.CharField(max_length=120)
    credits = models.PositiveIntegerField()
    is_offered = models.BooleanField(default=True)
    is_default = models.BooleanField(default=False)

    class Meta(ApprovalRequest.Meta):
        verbose_name = "pack change request"
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
