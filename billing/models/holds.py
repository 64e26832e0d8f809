"""Credit grants, what jobs hold of them, and what reversals debited."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from imageskill.lib import clock


class Lot(models.Model):
    """A credit grant: the paid credits of one purchase (or adjustment), and how many are left."""

    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    reference = models.CharField(max_length=80, unique=True)
    granted = models.BigIntegerField()
    left = models.BigIntegerField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = "credit grant"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="lot_left_is_between_nothing_and_granted",
                condition=Q(left__gte=0, left__lte=F("granted")),
            ),
        ]
        indexes: ClassVar = [
            # What can be spent, oldest purchase first, however many grants are used up.
            models.Index(
                name="lot_spendable", fields=["organization", "id"], condition=Q(left__gt=0)
            ),
            models.Index(name="lot_by_organization", fields=["organization", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.left} of {self.granted} from {self.reference}"


class LotPart(models.Model):
    """What one job or reversal consumed of one credit grant, and what it returned of that."""

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="parts", db_index=False)
    reference = models.CharField(max_length=80)
    taken = models.BigIntegerField()
    returned = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "credit consumption"
        verbose_name_plural = "credit consumption"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="lot_part_returns_at_most_what_it_took",
                condition=Q(taken__gt=0, returned__gte=0, returned__lte=F("taken")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="lot_part_by_reference", fields=["reference", "-id"]),
            models.Index(name="lot_part_by_lot", fields=["lot", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.taken - self.returned} for {self.reference}"


class JobHold(models.Model):
    """The credits that one job holds, until they are captured or released, once."""

    class State(models.TextChoices):
        """The status of a hold."""

        OPEN = "open", "Open"  # the job is running
        CAPTURED = "captured", "Captured"  # the job was charged, what it did not use went back
        RELEASED = "released", "Released"  # everything went back

    job_id = models.CharField(max_length=80, unique=True)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    preview = models.BigIntegerField()
    paid = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    captured_preview = models.BigIntegerField(default=0)
    captured_paid = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="hold_of_something",
                condition=Q(preview__gte=0, paid__gte=0) & Q(preview__gt=-F("paid")),
            ),
            models.CheckConstraint(
                name="hold_captures_at_most_itself",
                condition=Q(
                    captured_preview__gte=0,
                    captured_preview__lte=F("preview"),
                    captured_paid__gte=0,
                    captured_paid__lte=F("paid"),
                ),
            ),
            models.CheckConstraint(
                name="hold_charges_only_when_captured",
                condition=Q(state="captured") | Q(captured_preview=0, captured_paid=0),
            ),
            models.CheckConstraint(
                name="hold_is_closed_with_a_time",
                condition=Q(state="open", closed_at__isnull=True)
                | Q(state__in=["captured", "released"], closed_at__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="hold_by_state", fields=["state", "-id"]),
            models.Index(
                name="hold_open_by_organization", fields=["organization"], condition=Q(state="open")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} hold of {self.job_id}"

    @property
    def credits(self) -> int:
        """All held credits."""
        return self.preview + self.paid

    @property
    def captured(self) -> int:
        """All captured credits."""
        return self.captured_preview + self.captured_paid


class Clawback(models.Model):
    """What one reversal debited: credits that were there, and a debt for those already spent."""

    class Cause(models.TextChoices):
        """The kind of reversal; it decides which house wallet is the other side."""

        REFUND = "refund", "Refund"  # payments
        DISPUTE = "dispute", "Dispute"  # suspense

    class State(models.TextChoices):
        """The status of a clawback."""

        OPEN = "open", "In force"
        UNDONE = "undone", "Reinstated"  # nothing of it is in force
        LOST = "lost", "Lost"  # a lost dispute

    reference = models.CharField(max_length=80, unique=True)
    cause_key = models.CharField(max_length=160, unique=True)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    receipt_id = models.CharField(max_length=80, db_index=True)
    cause = models.CharField(max_length=8, choices=Cause)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    taken = models.BigIntegerField()
    owed = models.BigIntegerField()
    written_off = models.BigIntegerField(default=0)
    # The order in which the reversals of a receipt take: what is missing is owed by the last.
    place = models.PositiveIntegerField(default=0)
    movements = models.PositiveIntegerField(default=0)  # posted so far: numbers their keys
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "billing_taking"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="taking_is_never_negative",
                condition=Q(taken__gte=0, owed__gte=0, written_off__gte=0),
            ),
            models.CheckConstraint(
                name="taking_undone_leaves_nothing",
                condition=~Q(state="undone") | Q(taken=0, owed=0, written_off=0),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="taking_owed", fields=["organization", "id"], condition=Q(owed__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.taken} taken and {self.owed} owed for {self.reference}"
