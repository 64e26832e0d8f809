"""Refund requests by staff and sponsors, and receipts that must not be refunded."""

from functools import partial
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models import User
from billing.models.approvals import ApprovalRequest
from billing.models.receipts import Receipt, UnmatchedPayment
from billing.models.reversals import PaymentReversal
from imageskill.lib import amounts, clock, ids


class RefundRequest(ApprovalRequest):
    """A requested refund: decided, sent to Stripe, then a reversal like any other."""

    class ReasonCode(models.TextChoices):
        """Why the payment is refunded."""

        REQUESTED = "requested_by_customer", "Requested by customer"
        DUPLICATE = "duplicate", "Duplicate payment"
        SERVICE = "service", "Service failure"
        FRAUD = "fraudulent", "Fraudulent"
        UNUSED = "unused", "Unused credits"  # requested by the sponsor

    receipt = models.ForeignKey(
        Receipt, on_delete=models.PROTECT, null=True, blank=True, related_name="refund_requests"
    )
    unmatched_payment = models.ForeignKey(
        UnmatchedPayment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="refund_requests",
    )
    amount_cents = models.PositiveIntegerField()
    reason_code = models.CharField(max_length=32, choices=ReasonCode.choices)
    is_from_sponsor = models.BooleanField(default=False)
    # Of a sponsor's request that one member of staff may not approve alone.
    first_approved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    first_approved_at = models.DateTimeField(null=True, blank=True)
    stripe_key = models.CharField(
        max_length=64, unique=True, default=partial(ids.random_text, 22), editable=False
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    stripe_refund_id = models.CharField(max_length=255, blank=True)
    failure = models.CharField(max_length=200, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    reversal = models.ForeignKey(
        PaymentReversal, on_delete=models.PROTECT, null=True, blank=True, related_name="requests"
    )

    class Meta(ApprovalRequest.Meta):
        indexes: ClassVar = [
            models.Index(fields=["state", "-id"], name="refund_request_by_state"),
            models.Index(fields=["is_from_sponsor", "-id"], name="refund_request_by_asker"),
            models.Index(
                fields=["stripe_refund_id"],
                name="refund_request_at_stripe",
                condition=~Q(stripe_refund_id=""),
            ),
            models.Index(
                fields=["id"],
                name="refund_request_to_send",
                condition=Q(state="approved", finished_at__isnull=True),
            ),
        ]
        constraints: ClassVar = [
            *ApprovalRequest.Meta.constraints,
            models.CheckConstraint(
                name="refund_request_is_about_one_payment",
                condition=Q(receipt__isnull=False) ^ Q(unmatched_payment__isnull=False),
            ),
            models.CheckConstraint(
                name="refund_request_of_something", condition=Q(amount_cents__gt=0)
            ),
            models.CheckConstraint(
                name="refund_request_first_approved_by_another",
                condition=Q(first_approved_by__isnull=True)
                | (
                    ~Q(first_approved_by=F("requested_by"))
                    & (Q(decided_by__isnull=True) | ~Q(first_approved_by=F("decided_by")))
                ),
            ),
            models.UniqueConstraint(
                name="refund_request_one_open_a_receipt",
                fields=["receipt"],
                condition=Q(state__in=("requested", "approved"), finished_at__isnull=True),
            ),
            models.UniqueConstraint(
                name="refund_request_one_open_a_payment",
                fields=["unmatched_payment"],
                condition=Q(state__in=("requested", "approved"), finished_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"refund request {self.pk} ({amounts.format_amount(self.amount_cents)})"

    @property
    def charge_id(self) -> str:
        """The charge to be refunded."""
        return str(self.payment.charge_id)

    @property
    def payment(self) -> Receipt | UnmatchedPayment:
        """The payment to be refunded; one of the two is always set."""
        payment: Receipt | UnmatchedPayment | None = self.receipt or self.unmatched_payment
        assert payment is not None
        return payment


class RefundBlock(models.Model):
    """A receipt that must not be refunded while this row exists."""

    receipt = models.OneToOneField(
        Receipt, on_delete=models.PROTECT, related_name="refund_block", primary_key=True
    )
    blocked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=1000)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return f"{self.receipt_id} blocked"
