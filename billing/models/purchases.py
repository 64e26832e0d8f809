"""Quotes, and the attempts to pay them."""

from datetime import datetime
from functools import partial
from typing import ClassVar

from django.db import models

from accounts.models import Agent, Organization, User
from imageskill.lib import clock, ids
from imageskill.lib.updated_at import UpdatedAtField


class Rail(models.TextChoices):
    """The payment methods that a quote can be made for."""

    FAKE = "fake", "Fake"  # grants at once; no money moves
    STRIPE_CHECKOUT = "stripe_checkout", "Stripe Checkout"  # a person pays on Stripe's page


class Environment(models.TextChoices):
    """Whether money can move: what makes a receipt count as revenue."""

    LIVE = "live", "Live"
    TEST = "test", "Test"  # the vendor's test mode, and the fake rail
    STAND_IN = "stand_in", "Stand-in"  # a server of ours in the vendor's place


class Quote(models.Model):
    """Credits at a price until a moment: the buyer's terms, never changed after."""

    public_id = models.CharField(
        max_length=64, unique=True, default=partial(ids.new, "quote"), editable=False
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="quotes")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, related_name="quotes")
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="quotes")
    idempotency_key = models.CharField(max_length=200)
    payment_method = models.CharField(max_length=32, choices=Rail.choices)
    pack_id = models.CharField(max_length=64, blank=True)
    pack_name = models.CharField(max_length=120, blank=True)
    credits = models.PositiveIntegerField()
    price_cents = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default="USD")
    trace_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization", "-id"], name="quote_newest"),
            models.Index(fields=["payment_method", "-id"], name="quote_by_method"),
            models.Index(fields=["pack_id", "-id"], name="quote_by_pack"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="quote_has_one_buyer",
                condition=models.Q(agent__isnull=True) ^ models.Q(user__isnull=True),
            ),
            models.UniqueConstraint(
                name="quote_once_an_agent_and_key", fields=["agent", "idempotency_key"]
            ),
            models.UniqueConstraint(
                name="quote_once_a_sponsor_and_key",
                fields=["user", "organization", "idempotency_key"],
            ),
            models.CheckConstraint(
                name="quote_has_credits", condition=models.Q(credits__gte=1, credits__lte=5000)
            ),
            models.CheckConstraint(
                name="quote_costs_a_cent_a_credit",
                condition=models.Q(price_cents=models.F("credits"), currency="USD"),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    def is_expired(self, *, now: datetime) -> bool:
        """Whether its price no longer holds."""
        return now >= self.expires_at


class AttemptStatus(models.TextChoices):
    """The status of a payment attempt."""

    CREATED = "created", "Created"  # our row is stored, the vendor has not answered yet
    OPEN = "open", "Open"  # a person can pay
    PROCESSING = "processing", "Processing"  # the buyer is done, the money is on its way
    SUCCEEDED = "succeeded", "Paid"  # paid, receipt issued, credits granted
    FAILED = "failed", "Failed"  # the payment failed for good
    EXPIRED = "expired", "Expired"  # nobody paid in time
    CANCELED = "canceled", "Canceled"  # closed by us before anybody paid
    NEEDS_STAFF = "needs_staff", "Needs review"  # paid, but not what the quote says
    OVERPAID = "overpaid", "Overpaid"  # paid after another attempt had paid the same quote


PAYABLE_STATUSES = (AttemptStatus.CREATED, AttemptStatus.OPEN, AttemptStatus.PROCESSING)
PAID_STATUSES = (AttemptStatus.SUCCEEDED, AttemptStatus.NEEDS_STAFF, AttemptStatus.OVERPAID)


class PaymentAttemptQuerySet(models.QuerySet["PaymentAttempt"]):
    """Sets of attempts."""

    def payable(self) -> "PaymentAttemptQuerySet":
        """Narrow to attempts that a person may still pay, or that are being paid."""
        return self.filter(status__in=PAYABLE_STATUSES)

    def due(self, *, now: datetime) -> "PaymentAttemptQuerySet":
        """Narrow to payable attempts whose next check at the vendor is due, oldest first."""
        return self.payable().filter(next_check_at__lte=now).order_by("next_check_at")


class PaymentAttempt(models.Model):
    """One attempt to pay a quote: at most one Checkout session, whatever was retried."""

    public_id = models.CharField(
        max_length=64, unique=True, default=partial(ids.new, "payment_attempt"), editable=False
    )
    quote = models.ForeignKey(Quote, on_delete=models.PROTECT, related_name="attempts")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, related_name="+")
    idempotency_key = models.CharField(max_length=200)
    environment = models.CharField(max_length=16, choices=Environment.choices)
    status = models.CharField(
        max_length=16, choices=AttemptStatus.choices, default=AttemptStatus.CREATED
    )
    problem = models.CharField(max_length=64, blank=True)
    session_try = models.PositiveSmallIntegerField(default=1)
    session_expires_at = models.DateTimeField()
    # Null until Stripe has answered: the empty text could not be unique.
    checkout_session_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    checkout_url = models.TextField(blank=True)
    payment_intent_id = models.CharField(max_length=255, blank=True)
    trace_id = models.CharField(max_length=64, blank=True)
    next_check_at = models.DateTimeField()
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = UpdatedAtField()

    objects: ClassVar = PaymentAttemptQuerySet.as_manager()

    class Meta:
        verbose_name = "checkout"
        indexes: ClassVar = [
            models.Index(
                fields=["next_check_at"],
                name="attempt_due",
                condition=models.Q(status__in=("created", "open", "processing")),
            ),
            models.Index(fields=["status", "-id"], name="attempt_by_status"),
            models.Index(fields=["environment", "-id"], name="attempt_by_environment"),
            models.Index(fields=["payment_intent_id"], name="attempt_by_payment_intent"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="attempt_one_payable_a_quote",
                fields=["quote"],
                condition=models.Q(status__in=("created", "open", "processing")),
            ),
            models.UniqueConstraint(
                name="attempt_once_an_agent_and_key", fields=["agent", "idempotency_key"]
            ),
            models.UniqueConstraint(
                name="attempt_once_a_quote_and_key", fields=["quote", "idempotency_key"]
            ),
            models.CheckConstraint(
                name="attempt_open_has_its_session",
                condition=~models.Q(status="open") | models.Q(checkout_session_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_payable(self) -> bool:
        """Whether a person may still pay, or is paying."""
        return self.status in PAYABLE_STATUSES

    @property
    def is_paid(self) -> bool:
        """Whether money arrived, even if nothing was granted for it."""
        return self.status in PAID_STATUSES

    @property
    def stripe_key(self) -> str:
        """The idempotency key for the vendor: the attempt, and which try at a session."""
        tail = "" if self.session_try == 1 else f"-{self.session_try}"
        return f"{self.public_id}{tail}"
