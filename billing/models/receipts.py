"""Receipts, their numbers, and payments without one."""

from functools import partial
from typing import ClassVar

from django.db import models
from django.db.models import F

from accounts.models import Agent, Organization, User
from billing.models.append_only import AppendOnly, AppendOnlyQuerySet
from billing.models.purchases import Environment, PaymentAttempt, Quote, Rail
from imageskill.lib import clock, ids
from imageskill.lib.postgresql.utc_days import day_of, month_of


class ReceiptSeries(models.Model):
    """The last number issued in a year.

    Whoever takes the next number locks the row, and rolls it back with the receipt: no gaps.
    """

    prefix = models.CharField(max_length=8)
    year = models.PositiveSmallIntegerField()
    last_number = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="receipt_series_once", fields=["prefix", "year"]),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}-{self.year}"


class ReceiptQuerySet(AppendOnlyQuerySet):
    """Sets of receipts."""

    def live(self) -> "ReceiptQuerySet":
        """Narrow to receipts for money that moved: the only ones that are revenue."""
        return self.filter(environment=Environment.LIVE)

    def for_organization(self, organization_id: int) -> "ReceiptQuerySet":
        """Narrow to one organization's, newest first."""
        return self.filter(organization_id=organization_id).order_by("-id")

    def readable_by(self, user: User) -> "ReceiptQuerySet":
        """Narrow to those a person may read: of their organizations, and those they paid."""
        return self.filter(models.Q(organization__owner=user) | models.Q(payer=user))


class Receipt(AppendOnly):
    """A payment that succeeded, and what it granted. A trigger keeps the row from changing."""

    public_id = models.CharField(max_length=64, unique=True, editable=False)
    number = models.CharField(max_length=32, unique=True)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="receipts"
    )
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, related_name="receipts")
    quote = models.OneToOneField(Quote, on_delete=models.PROTECT, related_name="receipt")
    attempt = models.OneToOneField(
        PaymentAttempt, on_delete=models.PROTECT, null=True, related_name="receipt"
    )
    payment_method = models.CharField(max_length=32, choices=Rail.choices)
    environment = models.CharField(max_length=16, choices=Environment.choices)
    idempotency_key = models.CharField(max_length=200)
    credits = models.PositiveIntegerField()
    amount_cents = models.PositiveIntegerField()
    discount_cents = models.PositiveIntegerField("discount", default=0)
    currency = models.CharField(max_length=3)
    owed_settled_credits = models.PositiveIntegerField("applied to debt", default=0)
    balance_after = models.PositiveIntegerField()
    credit_event_id = models.CharField(
        max_length=64, unique=True, default=partial(ids.new, "credit_event"), editable=False
    )
    tax_cents = models.PositiveIntegerField("tax", default=0)
    is_tax_included = models.BooleanField("tax included in the price", default=False)
    tax_reason = models.CharField(max_length=32, blank=True)  # Stripe's, where there is no tax
    # Who paid: reads the receipt for good, whoever sponsors the agent by then.
    payer = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="paid_receipts"
    )
    # As they were at the payment: the seller by the settings, the buyer as Stripe asked for it.
    seller = models.JSONField(default=dict)
    billed_to = models.JSONField(default=dict)
    method_kind = models.CharField("payment method", max_length=32, blank=True)
    method_brand = models.CharField("card brand", max_length=32, blank=True)
    method_last4 = models.CharField("last four digits", max_length=4, blank=True)
    paid_at = models.DateTimeField(null=True)
    payment_intent_id = models.CharField(max_length=255, blank=True)
    charge_id = models.CharField(max_length=255, blank=True)
    trace_id = models.CharField(max_length=64, blank=True)
    issued_at = models.DateTimeField(default=clock.now, editable=False)

    objects: ClassVar = ReceiptQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization", "-id"], name="receipt_newest"),
            models.Index(fields=["environment", "-issued_at"], name="receipt_by_day"),
            models.Index(fields=["agent", "-id"], name="receipt_newest_of_agent"),
            models.Index(fields=["environment", "-id"], name="receipt_by_environment"),
            models.Index(fields=["payment_method", "-id"], name="receipt_by_method"),
            models.Index(month_of("issued_at"), F("id").desc(), name="receipt_by_utc_month"),
            models.Index(day_of("issued_at"), F("id").desc(), name="receipt_by_utc_day"),
            models.Index(fields=["payment_intent_id"], name="receipt_by_payment_intent"),
            models.Index(fields=["charge_id"], name="receipt_by_charge"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="receipt_amount_makes_its_credits",
                condition=models.Q(credits__gte=1, currency="USD")
                & (
                    models.Q(
                        is_tax_included=False,
                        credits=models.F("amount_cents")
                        + models.F("discount_cents")
                        - models.F("tax_cents"),
                    )
                    | models.Q(
                        is_tax_included=True,
                        credits=models.F("amount_cents") + models.F("discount_cents"),
                        tax_cents__lte=models.F("amount_cents"),
                    )
                ),
            ),
            models.CheckConstraint(
                name="receipt_settles_no_more_than_it_grants",
                condition=models.Q(owed_settled_credits__lte=models.F("credits")),
            ),
            models.CheckConstraint(
                name="receipt_number_tells_live_from_test",
                condition=models.Q(environment="live", number__startswith="IS-")
                | (~models.Q(environment="live") & models.Q(number__startswith="TEST-")),
            ),
            models.UniqueConstraint(
                name="receipt_once_an_agent_and_key",
                fields=["agent", "payment_method", "idempotency_key"],
            ),
            models.UniqueConstraint(
                name="receipt_once_a_payment",
                fields=["payment_intent_id"],
                condition=~models.Q(payment_intent_id=""),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_live(self) -> bool:
        """Whether money moved."""
        return self.environment == Environment.LIVE


class UnmatchedPaymentQuerySet(models.QuerySet["UnmatchedPayment"]):
    """Sets of payments that granted nothing."""

    def open(self) -> "UnmatchedPaymentQuerySet":
        """Narrow to those of which money is left that nobody is returning."""
        states = UnmatchedPayment.State
        return self.filter(state__in=(states.OPEN, states.PARTLY_REFUNDED))


class UnmatchedPayment(models.Model):
    """A payment that granted nothing; it is returned through the refund queue."""

    class Reason(models.TextChoices):
        """Why nothing was granted."""

        SECOND_PAYMENT = "second_payment", "Duplicate payment"
        AMOUNT_MISMATCH = "amount_mismatch", "Amount mismatch"
        CURRENCY_MISMATCH = "currency_mismatch", "Currency mismatch"

    class State(models.TextChoices):
        """The status of its return, derived from all its refunds and disputes."""

        OPEN = "open", "Open"
        REFUNDING = "refunding", "Refund under way"
        PARTLY_REFUNDED = "partly_refunded", "Partially refunded"
        REFUNDED = "refunded", "Refunded"
        DISPUTED = "disputed", "Disputed"
        LOST = "lost", "Lost"  # to the buyer's bank
        CLOSED = "closed", "Resolved"

    quote = models.ForeignKey(Quote, on_delete=models.PROTECT, related_name="unmatched_payments")
    attempt = models.ForeignKey(
        PaymentAttempt, on_delete=models.PROTECT, related_name="unmatched_payments"
    )
    checkout_session_id = models.CharField(max_length=255, unique=True)
    payment_intent_id = models.CharField(max_length=255, blank=True)
    charge_id = models.CharField(max_length=255, blank=True, db_index=True)
    reason = models.CharField(max_length=32, choices=Reason.choices)
    environment = models.CharField(max_length=16, choices=Environment.choices)
    amount_cents = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    refunded_cents = models.PositiveIntegerField(default=0)  # by refunds that succeeded
    note = models.TextField(blank=True)
    found_at = models.DateTimeField(default=clock.now, editable=False)
    resolved_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar = UnmatchedPaymentQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["state", "-id"], name="unmatched_payment_by_state"),
            models.Index(fields=["reason", "-id"], name="unmatched_payment_by_reason"),
            models.Index(fields=["payment_intent_id"], name="unmatched_payment_by_intent"),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.checkout_session_id}"
