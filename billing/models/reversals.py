"""Refunds and disputes: one row for each of Stripe's, its phases, and a dispute's evidence."""

from functools import partial
from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Organization, User
from billing.models.append_only import AppendOnly
from billing.models.receipts import Receipt
from imageskill.lib import clock, ids
from imageskill.lib.updated_at import UpdatedAtField


class PaymentReversalQuerySet(models.QuerySet["PaymentReversal"]):
    """Sets of reversals."""

    def flagged(self) -> "PaymentReversalQuerySet":
        """Narrow to what finance has to review."""
        return self.exclude(problem="").filter(resolved_at__isnull=True)

    def unmatched(self) -> "PaymentReversalQuerySet":
        """Narrow to reversals of charges for which no receipt is known."""
        return self.filter(problem=PaymentReversal.Problem.NO_RECEIPT, resolved_at__isnull=True)

    def open_disputes(self) -> "PaymentReversalQuerySet":
        """Narrow to disputes that are not decided yet, the next deadline first.

        One that moves no credits is open for as long as Stripe takes evidence: the money is at
        stake all the same.
        """
        state = PaymentReversal.State
        undecided = Q(state__in=(state.SEEN, state.APPLIED))
        answerable = Q(
            state__in=(state.REJECTED, state.SET_ASIDE),
            stripe_status__in=("needs_response", "warning_needs_response"),
        )
        disputes = self.filter(undecided | answerable, kind=PaymentReversal.Kind.DISPUTE)
        return disputes.order_by("evidence_due_by", "id")  # those without a deadline come last

    def due_after(self, last: "PaymentReversal") -> "PaymentReversalQuerySet":
        """Narrow to what follows this one by deadline."""
        same = Q(evidence_due_by=last.evidence_due_by, pk__gt=last.pk)
        if last.evidence_due_by is None:
            return self.filter(evidence_due_by__isnull=True, pk__gt=last.pk)
        later = Q(evidence_due_by__gt=last.evidence_due_by)
        return self.filter(same | later | Q(evidence_due_by__isnull=True))


class PaymentReversal(models.Model):
    """One of Stripe's refunds or disputes, and its effect on the ledger."""

    class Kind(models.TextChoices):
        """Which of the two it is."""

        REFUND = "refund", "Refund"
        DISPUTE = "dispute", "Dispute"

    class State(models.TextChoices):
        """Its effect, derived from the facts; written by `billing.reversals.applying` alone."""

        SEEN = "seen", "Inquiry"  # nothing moved yet; of a refund: pending
        APPLIED = "applied", "Debited"
        UNDONE = "undone", "Reinstated"  # the funds of a dispute are back
        LOST = "lost", "Lost"
        CLOSED = "closed", "Closed"  # takes nothing: a refund failed, an inquiry was closed
        REJECTED = "rejected", "Rejected"  # can't be reconciled
        SET_ASIDE = "set_aside", "Unmatched"  # of a payment that granted nothing

    class Problem(models.TextChoices):
        """Why finance has to review it."""

        NO_RECEIPT = "no_receipt", "No receipt found"
        OTHER_CURRENCY = "other_currency", "Currency mismatch"
        REVERSED_ALREADY = "reversed_already", "Already reversed"
        EXCEEDS_RECEIPT = "exceeds_receipt", "Exceeds receipt"
        REINSTATED_AFTER_LOSS = "reinstated_after_loss", "Reinstated after loss"

    public_id = models.CharField(
        max_length=64, unique=True, default=partial(ids.new, "payment_reversal"), editable=False
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    stripe_id = models.CharField(max_length=255, unique=True)
    receipt = models.ForeignKey(
        Receipt, on_delete=models.PROTECT, null=True, blank=True, related_name="reversals"
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, blank=True, related_name="reversals"
    )
    charge_id = models.CharField(max_length=255, blank=True)
    payment_intent_id = models.CharField(max_length=255, blank=True)
    amount_cents = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=64, blank=True)
    stripe_status = models.CharField(max_length=64)
    failure_reason = models.CharField(max_length=64, blank=True)  # Stripe's, of a failed refund
    stripe_created_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)  # when Stripe was asked for all of this
    withdrawn_cents = models.PositiveIntegerField(default=0)  # by the bank, of a dispute
    reinstated_cents = models.PositiveIntegerField(default=0)
    evidence_due_by = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.SEEN)
    in_force_cents = models.PositiveIntegerField(default=0)  # its share of the payment, now
    credits = models.PositiveIntegerField(default=0)  # that share in credits, owed ones included
    excess_credits = models.PositiveIntegerField(default=0)  # above what was left of the receipt
    problem = models.CharField(max_length=32, choices=Problem.choices, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=1000, blank=True)
    credit_event_id = models.CharField(
        max_length=64, unique=True, default=partial(ids.new, "credit_event"), editable=False
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = UpdatedAtField()

    objects: ClassVar = PaymentReversalQuerySet.as_manager()

    class Meta:
        verbose_name = "refund or dispute"
        verbose_name_plural = "refunds & disputes"
        indexes: ClassVar = [
            models.Index(fields=["organization", "-id"], name="reversal_newest_of"),
            models.Index(fields=["state", "-id"], name="reversal_by_state"),
            models.Index(fields=["kind", "-id"], name="reversal_by_kind"),
            models.Index(fields=["problem", "-id"], name="reversal_by_problem"),
            models.Index(fields=["reason", "-id"], name="reversal_by_reason"),
            models.Index(fields=["charge_id"], name="reversal_by_charge"),
            models.Index(fields=["payment_intent_id"], name="reversal_by_payment_intent"),
            models.Index(
                fields=["evidence_due_by"],
                name="reversal_by_deadline",
                condition=Q(kind="dispute", state__in=("seen", "applied", "rejected", "set_aside")),
            ),
            models.Index(
                fields=["receipt", "kind", "state", "in_force_cents"],
                name="reversal_of_receipt_in_force",
                condition=Q(receipt__isnull=False, in_force_cents__gt=0),
            ),
            models.Index(
                fields=["-id"],
                name="reversal_flagged",
                condition=~Q(problem="") & Q(resolved_at__isnull=True),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="reversal_of_a_receipt_knows_its_organization",
                condition=Q(receipt__isnull=True, organization__isnull=True)
                | Q(receipt__isnull=False, organization__isnull=False),
            ),
            models.CheckConstraint(
                name="reversal_moves_credits_of_a_receipt",
                condition=Q(credits=0) | Q(receipt__isnull=False),
            ),
            models.CheckConstraint(
                name="reversal_only_disputes_are_lost",
                condition=~Q(state="lost") | Q(kind="dispute"),
            ),
            models.CheckConstraint(
                name="reversal_rejected_says_why", condition=~Q(state="rejected") | ~Q(problem="")
            ),
            models.CheckConstraint(
                name="reversal_resolved_with_a_note",
                condition=Q(resolved_at__isnull=True) | ~Q(resolution=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.stripe_id} {self.state}"

    def get_state_display(self) -> str:  # type: ignore[no-redef]
        """Return the status in words; a refund is no inquiry, and fails instead of closing."""
        if self.kind == self.Kind.REFUND and self.state in (self.State.SEEN, self.State.CLOSED):
            return "Pending" if self.state == self.State.SEEN else "Failed"
        return str(self.State(self.state).label)

    @property
    def is_flagged(self) -> bool:
        """Whether finance has to review it."""
        return bool(self.problem) and self.resolved_at is None


class ReversalPhase(AppendOnly):
    """A phase that a reversal entered, with what it moved; it may enter one again."""

    class Phase(models.TextChoices):
        """The phases."""

        SEEN = "seen", "Received"
        TAKEN = "taken", "Debited"
        REJECTED = "rejected", "Rejected"
        UNDONE = "undone", "Reinstated"
        LOST = "lost", "Lost"
        CLOSED = "closed", "Closed"

    reversal = models.ForeignKey(
        PaymentReversal, on_delete=models.PROTECT, related_name="phases", db_index=False
    )
    phase = models.CharField(max_length=16, choices=Phase.choices)
    details = models.JSONField(default=dict)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(name="reversal_phase_in_order", fields=["reversal", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.phase} {self.reversal_id}"


class DisputeEvidence(models.Model):
    """Our evidence on one dispute, its parts named as Stripe names them."""

    reversal = models.OneToOneField(
        PaymentReversal, on_delete=models.PROTECT, related_name="evidence", primary_key=True
    )
    parts = models.JSONField(default=dict)
    edited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    edited_at = models.DateTimeField(default=clock.now)
    sent_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    sent_at = models.DateTimeField(null=True, blank=True)
    submitting_at = models.DateTimeField(null=True, blank=True)  # somebody is calling Stripe
    file_id = models.CharField(max_length=255, blank=True)  # Stripe's, of the attached images

    class Meta:
        verbose_name_plural = "dispute evidence"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="evidence_sent_by_somebody",
                condition=models.Q(sent_at__isnull=True, sent_by__isnull=True)
                | models.Q(sent_at__isnull=False, sent_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"evidence of {self.reversal_id}"
