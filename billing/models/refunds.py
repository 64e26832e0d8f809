"""Refund requests by staff and sponsors, and receipts that must not be refunded."""

from functools import partial
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models import User
from billing.models.approvals import ApprovalRequest, ApprovalRequestQuerySet
from billing.models.receipts import Receipt, UnmatchedPayment
from billing.models.reversals import PaymentReversal
from billing.stripe import refund_failures
from imageskill.lib import amounts, clock, ids


class RefundStatus(models.TextChoices):
    """The whole life of a request: its decision, then what Stripe says of the refund."""

    PENDING_APPROVAL = "pending_approval", "Pending approval"
    REJECTED = "rejected", "Rejected"
    EXPIRED = "expired", "Expired"
    APPROVED = "approved", "Approved"  # a worker will send it
    SENT = "sent", "Sent"  # Stripe has not answered yet
    PENDING = "pending", "Pending at Stripe"
    REQUIRES_ACTION = "requires_action", "Waiting for the buyer"  # who must give bank details
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"  # refused, failed or canceled


class RefundRequestQuerySet(ApprovalRequestQuerySet):
    """Sets of refund requests."""

    def open(self) -> "RefundRequestQuerySet":
        """Narrow to what is requested, or approved with no outcome yet."""
        return self.filter(
            Q(state="requested")
            | Q(state="approved", failure="", refund_status__in=("", "pending", "requires_action"))
        )

    def failed(self) -> "RefundRequestQuerySet":
        """Narrow to those that failed and that nobody has dealt with."""
        return self.filter(state="approved", failure_resolved_at__isnull=True).exclude(failure="")


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
    # Written from the facts, by `billing.reversals`: Stripe's status, and its code of a failure.
    refund_status = models.CharField(max_length=16, blank=True)
    failure = models.CharField(max_length=200, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # Set while it is under way, from sending to the outcome: credits that nobody can spend.
    reserved_credits = models.PositiveIntegerField(default=0)
    failure_resolved_at = models.DateTimeField(null=True, blank=True)
    reversal = models.ForeignKey(
        PaymentReversal, on_delete=models.PROTECT, null=True, blank=True, related_name="requests"
    )

    objects: ClassVar = RefundRequestQuerySet.as_manager()

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
            models.Index(
                fields=["id"],
                name="refund_request_failed",
                condition=~Q(failure="") & Q(failure_resolved_at__isnull=True),
            ),
            models.Index(
                fields=["id"],
                name="refund_request_reserving",
                condition=Q(reserved_credits__gt=0),
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
            models.CheckConstraint(
                name="refund_request_reserves_credits_of_a_receipt",
                condition=Q(reserved_credits=0) | Q(receipt__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"refund request {self.pk} ({amounts.format_amount(self.amount_cents)})"

    @property
    def status(self) -> RefundStatus:
        """Where it stands: decided or not, at Stripe, and how that ended."""
        if self.state != self.State.APPROVED:
            return _STATUS_BY_DECISION[self.state]
        if self.failure:
            return RefundStatus.FAILED
        if self.refund_status:
            return RefundStatus(self.refund_status)
        return RefundStatus.SENT if self.sent_at else RefundStatus.APPROVED

    @property
    def failure_words(self) -> str:
        """Why it failed, in words."""
        return refund_failures.describe(self.failure)

    @property
    def charge_id(self) -> str:
        """The charge to be refunded."""
        return str(self.payment.charge_id)

    @property
    def payment_intent_id(self) -> str:
        """The payment to be refunded."""
        return str(self.payment.payment_intent_id)

    @property
    def payment(self) -> Receipt | UnmatchedPayment:
        """The payment to be refunded; one of the two is always set."""
        payment: Receipt | UnmatchedPayment | None = self.receipt or self.unmatched_payment
        assert payment is not None
        return payment


_STATUS_BY_DECISION: dict[str, RefundStatus] = {
    ApprovalRequest.State.REQUESTED: RefundStatus.PENDING_APPROVAL,
    ApprovalRequest.State.TURNED_DOWN: RefundStatus.REJECTED,
    ApprovalRequest.State.EXPIRED: RefundStatus.EXPIRED,
}


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
