"""Stripe's balance beside ours: its movements, days, and differences that somebody owns."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import User
from billing.models.purchases import Environment
from billing.models.receipts import Receipt
from billing.models.reversals import PaymentReversal
from imageskill.lib import clock


class BalanceMovement(models.Model):
    """One balance transaction of Stripe's, as it was read, and what it belongs to here."""

    class Category(models.TextChoices):
        """What moved, in our words."""

        PAYMENT = "payment", "payment"
        REFUND = "refund", "refund"
        REFUND_FAILURE = "refund_failure", "refund that came back"
        DISPUTE = "dispute", "dispute withdrawn"
        DISPUTE_REVERSAL = "dispute_reversal", "dispute reinstated"
        OTHER = "other", "other"  # payouts, Stripe's own fees: no credits behind them

    stripe_id = models.CharField(max_length=255, unique=True)
    category = models.CharField(max_length=24, choices=Category.choices)
    stripe_type = models.CharField(max_length=64)
    source_id = models.CharField(max_length=255, blank=True, db_index=True)
    amount_cents = models.BigIntegerField()
    fee_cents = models.BigIntegerField()
    net_cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    exchange_rate = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    environment = models.CharField(max_length=16, choices=Environment.choices)
    is_ours = models.BooleanField(default=True)  # an account can serve several installations
    receipt = models.ForeignKey(
        Receipt, on_delete=models.PROTECT, null=True, related_name="movements"
    )
    reversal = models.ForeignKey(
        PaymentReversal, on_delete=models.PROTECT, null=True, related_name="movements"
    )
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["-created_at"], name="balance_movement_newest"),
            models.Index(fields=["category", "-id"], name="balance_movement_by_category"),
            models.Index(fields=["environment", "-id"], name="balance_movement_by_env"),
        ]

    def __str__(self) -> str:
        return self.stripe_id


class ReconciledDay(models.Model):
    """One UTC day: what Stripe moved, beside what our receipts, reversals and ledger say."""

    day = models.DateField()
    environment = models.CharField(max_length=16, choices=Environment.choices)
    stripe_payments_cents = models.BigIntegerField(default=0)
    stripe_refunds_cents = models.BigIntegerField(default=0)
    stripe_disputes_cents = models.BigIntegerField(default=0)
    stripe_fees_cents = models.BigIntegerField(default=0)
    receipts_cents = models.BigIntegerField(default=0)
    refunds_cents = models.BigIntegerField(default=0)
    disputes_cents = models.BigIntegerField(default=0)
    granted_credits = models.BigIntegerField(default=0)
    reversed_credits = models.BigIntegerField(default=0)
    open_differences = models.PositiveIntegerField(default=0)
    reconciled_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar = ["-day"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="reconciled_day_once", fields=["day", "environment"]),
        ]
        indexes: ClassVar = [
            models.Index(fields=["environment", "-id"], name="reconciled_day_by_environment"),
        ]

    def __str__(self) -> str:
        return f"{self.day}"


class Difference(models.Model):
    """Something that Stripe and we tell differently, until it agrees or somebody explains it."""

    class Reason(models.TextChoices):
        """What probably happened."""

        MISSING_EVENT = "missing_event", "Stripe moved money that we know nothing of"
        MISSING_MOVEMENT = "missing_movement", "we counted what Stripe did not move"
        DOUBLE = "double", "moved more than once"
        AMOUNT = "amount", "another amount"
        FEE = "fee", "another amount, off by Stripe's fee"
        EXCHANGE = "exchange", "another currency"
        STATE = "state", "moved, but it has not had its effect here"

    class State(models.TextChoices):
        """Whether somebody has to look at it."""

        OPEN = "open", "open"
        AGREED = "agreed", "agrees by now"  # found by a later run
        CLOSED = "closed", "closed with a note"

    key = models.CharField(max_length=300, unique=True)
    reason = models.CharField(max_length=24, choices=Reason.choices)
    day = models.DateField()
    environment = models.CharField(max_length=16, choices=Environment.choices)
    stripe_id = models.CharField(max_length=255, blank=True)
    receipt = models.ForeignKey(
        Receipt, on_delete=models.PROTECT, null=True, blank=True, related_name="differences"
    )
    reversal = models.ForeignKey(
        PaymentReversal, on_delete=models.PROTECT, null=True, blank=True, related_name="differences"
    )
    stripe_cents = models.BigIntegerField(null=True)
    stripe_currency = models.CharField(max_length=3, default="USD")
    our_cents = models.BigIntegerField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    owner = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="differences"
    )
    note = models.CharField(max_length=1000, blank=True)
    found_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-day", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["state", "-id"], name="difference_by_state"),
            models.Index(fields=["reason", "-id"], name="difference_by_reason"),
            models.Index(fields=["day", "-id"], name="difference_by_day"),
            models.Index(fields=["stripe_id"], name="difference_by_stripe_id"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="difference_closed_by_its_owner_with_a_note",
                condition=~Q(state="closed")
                | (Q(owner__isnull=False, closed_at__isnull=False) & ~Q(note="")),
            ),
        ]

    def __str__(self) -> str:
        return self.key
