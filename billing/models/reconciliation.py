"""Stripe's balance transactions, the reconciled days, and their discrepancies."""

from typing import ClassVar, NamedTuple

from django.db import models
from django.db.models import F, Q

from accounts.models import User
from billing.models.purchases import Environment
from billing.models.receipts import Receipt, UnmatchedPayment
from billing.models.reversals import PaymentReversal
from imageskill.lib import clock


class BalanceMovement(models.Model):
    """One of Stripe's balance transactions, and the receipt or reversal that it belongs to."""

    class Category(models.TextChoices):
        """What moved the balance."""

        PAYMENT = "payment", "Payment"
        REFUND = "refund", "Refund"
        REFUND_FAILURE = "refund_failure", "Refund failure"
        DISPUTE = "dispute", "Dispute"
        DISPUTE_REVERSAL = "dispute_reversal", "Dispute reversal"
        OTHER = "other", "Other"  # payouts, Stripe's own fees: no credits behind them

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
    unmatched_payment = models.ForeignKey(
        UnmatchedPayment, on_delete=models.PROTECT, null=True, related_name="movements"
    )
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = "balance transaction"
        indexes: ClassVar = [
            models.Index(fields=["-created_at"], name="balance_movement_newest"),
            models.Index(fields=["category", "-id"], name="balance_movement_by_category"),
            models.Index(fields=["environment", "-id"], name="balance_movement_by_env"),
        ]

    def __str__(self) -> str:
        return self.stripe_id


class ComparedAmounts(NamedTuple):
    """One line of a reconciled day, in signed cents."""

    label: str
    stripe_cents: int
    ledger_cents: int

    @property
    def delta_cents(self) -> int:
        """What Stripe has more than the ledger."""
        return self.stripe_cents - self.ledger_cents


class ReconciledDay(models.Model):
    """One UTC day: Stripe's totals beside those of our receipts, reversals and ledger.

    All amounts are signed: what the day added to the balance is positive. Net amounts and the
    delta are columns that the database computes, so that list, page, filter and file agree.
    """

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
    stripe_net_cents = models.GeneratedField(
        verbose_name="Stripe net",
        expression=F("stripe_payments_cents")
        + F("stripe_refunds_cents")
        + F("stripe_disputes_cents"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    ledger_net_cents = models.GeneratedField(
        verbose_name="ledger net",
        expression=F("receipts_cents") + F("refunds_cents") + F("disputes_cents"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    delta_cents = models.GeneratedField(
        verbose_name="delta",
        expression=F("stripe_payments_cents")
        + F("stripe_refunds_cents")
        + F("stripe_disputes_cents")
        - F("receipts_cents")
        - F("refunds_cents")
        - F("disputes_cents"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    open_differences = models.PositiveIntegerField("open discrepancies", default=0)
    reconciled_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "reconciliation"
        ordering: ClassVar = ["-day"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="reconciled_day_once", fields=["day", "environment"]),
        ]
        indexes: ClassVar = [
            models.Index(fields=["environment", "-id"], name="reconciled_day_by_environment"),
        ]

    def __str__(self) -> str:
        return f"{self.day}"

    @property
    def comparison(self) -> tuple[ComparedAmounts, ...]:
        """Stripe beside the ledger: payments, refunds, disputes, and the net."""
        return (
            ComparedAmounts("Payments", self.stripe_payments_cents, self.receipts_cents),
            ComparedAmounts("Refunds", self.stripe_refunds_cents, self.refunds_cents),
            ComparedAmounts("Disputes", self.stripe_disputes_cents, self.disputes_cents),
            ComparedAmounts("Net", self.stripe_net_cents, self.ledger_net_cents),
        )

    @property
    def is_equal(self) -> bool:
        """Whether Stripe and the ledger agree to the cent, and no discrepancy is open."""
        has_delta = any(line.delta_cents for line in self.comparison)
        return not has_delta and not self.open_differences


class Difference(models.Model):
    """A discrepancy between Stripe and the ledger, until they agree or staff resolve it."""

    class Reason(models.TextChoices):
        """The probable cause."""

        MISSING_EVENT = "missing_event", "Missing in ledger"
        MISSING_MOVEMENT = "missing_movement", "Missing in Stripe"
        DOUBLE = "double", "Duplicate"
        AMOUNT = "amount", "Amount mismatch"
        FEE = "fee", "Stripe fee mismatch"  # the amounts differ by Stripe's fee
        EXCHANGE = "exchange", "Currency mismatch"
        STATE = "state", "Not posted"  # Stripe moved it, the ledger has not

    class State(models.TextChoices):
        """The status of a discrepancy."""

        OPEN = "open", "Open"
        AGREED = "agreed", "Auto-resolved"  # a later run found no difference
        CLOSED = "closed", "Resolved"  # by staff, with a note

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
    stripe_cents = models.BigIntegerField("Stripe", null=True)
    stripe_currency = models.CharField(max_length=3, default="USD")
    our_cents = models.BigIntegerField("ledger", null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    owner = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="differences"
    )
    note = models.CharField(max_length=1000, blank=True)
    found_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "discrepancy"
        verbose_name_plural = "discrepancies"
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
