"""The chart of accounts: which wallets there are, and every kind of transfer between them.

Pure tables. A kind fixes both ends of a transfer, so no caller can name a wrong wallet.
"""

from typing import NamedTuple

from django.db import models


class Purpose(models.TextChoices):
    """What a wallet is for: four for each organization, six of the house's own."""

    PREVIEW = "preview", "free credits"
    PAID = "paid", "payment-backed credits"
    HELD = "held", "reserved by running jobs"
    OWED = "owed", "taken back by a reversal after it was spent"
    PROMOTIONS = "promotions", "where free credits come from"
    PAYMENTS = "payments", "where bought credits come from and refunded ones return"
    REVENUE = "revenue", "what jobs consumed"
    SUSPENSE = "suspense", "open disputes"
    LOSSES = "losses", "lost disputes and debts written off"
    ADJUSTMENTS = "adjustments", "corrections by staff"


ORGANIZATION_PURPOSES = (Purpose.PREVIEW, Purpose.PAID, Purpose.HELD, Purpose.OWED)

# Wallets are locked in primary-key order. The house's are everybody's, so they have the highest
# keys: they are locked last and held shortest, and an organization never waits for them first.
HOUSE_IDS = {
    Purpose.PROMOTIONS: 1_000_000_000_000_001,
    Purpose.PAYMENTS: 1_000_000_000_000_002,
    Purpose.REVENUE: 1_000_000_000_000_003,
    Purpose.SUSPENSE: 1_000_000_000_000_004,
    Purpose.LOSSES: 1_000_000_000_000_005,
    Purpose.ADJUSTMENTS: 1_000_000_000_000_006,
}


class Term(models.TextChoices):
    """The terms of an organization's equation: what came in less what went out is what is there."""

    GRANTED = "granted", "granted, promotions included"
    ADJUSTED = "adjusted", "adjusted by staff"
    WRITTEN_OFF = "written_off", "owed and written off"
    CAPTURED = "captured", "consumed by jobs"
    REVERSED = "reversed", "reversed, less what was reinstated"


class TransferKind(models.TextChoices):
    """Every reason for which credits move."""

    PREVIEW_GRANT = "preview_grant", "free credits given"
    PAID_GRANT = "paid_grant", "bought credits given"
    HOLD_PREVIEW = "hold_preview", "free credits reserved for a job"
    HOLD_PAID = "hold_paid", "bought credits reserved for a job"
    CAPTURE = "capture", "a job's reserved credits consumed"
    RETURN_PREVIEW = "return_preview", "reserved free credits given back"
    RETURN_PAID = "return_paid", "reserved bought credits given back"
    REFUND = "refund", "bought credits taken back by a refund"
    REFUND_OWED = "refund_owed", "the part of a refund that was spent already"
    REFUND_UNDONE = "refund_undone", "a refund failed: its credits given back"
    REFUND_OWED_UNDONE = "refund_owed_undone", "a refund failed: what it left owed forgiven"
    REFUND_SETTLED = "refund_settled", "bought credits that pay for what a refund left owed"
    REFUND_OWED_SETTLED = "refund_owed_settled", "what a refund left owed, paid for"
    REFUND_LOSS_RECOVERED = "refund_loss_recovered", "a refund failed: its write-off taken back"
    DISPUTE = "dispute", "bought credits set aside by a dispute"
    DISPUTE_OWED = "dispute_owed", "the part of a dispute that was spent already"
    DISPUTE_WON = "dispute_won", "a dispute won: its credits given back"
    DISPUTE_OWED_WON = "dispute_owed_won", "a dispute won: what it left owed forgiven"
    DISPUTE_SETTLED = "dispute_settled", "bought credits that pay for what a dispute left owed"
    DISPUTE_OWED_SETTLED = "dispute_owed_settled", "what a dispute left owed, paid for"
    DISPUTE_LOSS_RECOVERED = "dispute_loss_recovered", "a dispute won: its write-off taken back"
    DISPUTE_LOST = "dispute_lost", "a dispute lost: its credits leave suspense"
    DISPUTE_LOST_OWED = "dispute_lost_owed", "a dispute lost: its debt's other side leaves suspense"
    WRITE_OFF = "write_off", "a debt that the house bears"
    ADJUST_PREVIEW_UP = "adjust_preview_up", "correction: free credits added"
    ADJUST_PREVIEW_DOWN = "adjust_preview_down", "correction: free credits removed"
    ADJUST_PAID_UP = "adjust_paid_up", "correction: bought credits added"
    ADJUST_PAID_DOWN = "adjust_paid_down", "correction: bought credits removed"


class TransferRoute(NamedTuple):
    """Where a kind of transfer leads, and how it counts in the organization's equation."""

    source: Purpose
    target: Purpose
    term: Term | None = None
    sign: int = 0


_P = Purpose

ROUTES: dict[TransferKind, TransferRoute] = {
    TransferKind.PREVIEW_GRANT: TransferRoute(_P.PROMOTIONS, _P.PREVIEW, Term.GRANTED, 1),
    TransferKind.PAID_GRANT: TransferRoute(_P.PAYMENTS, _P.PAID, Term.GRANTED, 1),
    TransferKind.HOLD_PREVIEW: TransferRoute(_P.PREVIEW, _P.HELD),
    TransferKind.HOLD_PAID: TransferRoute(_P.PAID, _P.HELD),
    TransferKind.CAPTURE: TransferRoute(_P.HELD, _P.REVENUE, Term.CAPTURED, -1),
    TransferKind.RETURN_PREVIEW: TransferRoute(_P.HELD, _P.PREVIEW),
    TransferKind.RETURN_PAID: TransferRoute(_P.HELD, _P.PAID),
    TransferKind.REFUND: TransferRoute(_P.PAID, _P.PAYMENTS, Term.REVERSED, -1),
    TransferKind.REFUND_OWED: TransferRoute(_P.PAYMENTS, _P.OWED, Term.REVERSED, -1),
    TransferKind.REFUND_UNDONE: TransferRoute(_P.PAYMENTS, _P.PAID, Term.REVERSED, 1),
    TransferKind.REFUND_OWED_UNDONE: TransferRoute(_P.OWED, _P.PAYMENTS, Term.REVERSED, 1),
    TransferKind.REFUND_SETTLED: TransferRoute(_P.PAID, _P.PAYMENTS),
    TransferKind.REFUND_OWED_SETTLED: TransferRoute(_P.OWED, _P.PAYMENTS),
    TransferKind.REFUND_LOSS_RECOVERED: TransferRoute(_P.LOSSES, _P.PAYMENTS),
    TransferKind.DISPUTE: TransferRoute(_P.PAID, _P.SUSPENSE, Term.REVERSED, -1),
    TransferKind.DISPUTE_OWED: TransferRoute(_P.SUSPENSE, _P.OWED, Term.REVERSED, -1),
    TransferKind.DISPUTE_WON: TransferRoute(_P.SUSPENSE, _P.PAID, Term.REVERSED, 1),
    TransferKind.DISPUTE_OWED_WON: TransferRoute(_P.OWED, _P.SUSPENSE, Term.REVERSED, 1),
    TransferKind.DISPUTE_SETTLED: TransferRoute(_P.PAID, _P.SUSPENSE),
    TransferKind.DISPUTE_OWED_SETTLED: TransferRoute(_P.OWED, _P.SUSPENSE),
    TransferKind.DISPUTE_LOSS_RECOVERED: TransferRoute(_P.LOSSES, _P.SUSPENSE),
    TransferKind.DISPUTE_LOST: TransferRoute(_P.SUSPENSE, _P.LOSSES),
    TransferKind.DISPUTE_LOST_OWED: TransferRoute(_P.LOSSES, _P.SUSPENSE),
    TransferKind.WRITE_OFF: TransferRoute(_P.OWED, _P.LOSSES, Term.WRITTEN_OFF, 1),
    TransferKind.ADJUST_PREVIEW_UP: TransferRoute(_P.ADJUSTMENTS, _P.PREVIEW, Term.ADJUSTED, 1),
    TransferKind.ADJUST_PREVIEW_DOWN: TransferRoute(_P.PREVIEW, _P.ADJUSTMENTS, Term.ADJUSTED, -1),
    TransferKind.ADJUST_PAID_UP: TransferRoute(_P.ADJUSTMENTS, _P.PAID, Term.ADJUSTED, 1),
    TransferKind.ADJUST_PAID_DOWN: TransferRoute(_P.PAID, _P.ADJUSTMENTS, Term.ADJUSTED, -1),
}
