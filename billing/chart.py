"""The chart of accounts: which wallets there are, and every kind of transfer between them.

Pure tables. A kind fixes both ends of a transfer, so no caller can name a wrong wallet.
"""

from typing import NamedTuple

from django.db import models


class Purpose(models.TextChoices):
    """What a wallet is for: four for each organization, six for the house."""

    PREVIEW = "preview", "Preview credits"
    PAID = "paid", "Paid credits"
    HELD = "held", "Held credits"  # by running jobs and refunds under way
    OWED = "owed", "Owed credits"  # reversed after they were spent
    PROMOTIONS = "promotions", "Promotions"  # the source of preview credits
    PAYMENTS = "payments", "Payments"  # the source of paid credits; refunded ones return to it
    REVENUE = "revenue", "Revenue"  # consumed by jobs
    SUSPENSE = "suspense", "Suspense"  # open disputes
    LOSSES = "losses", "Losses"  # lost disputes, and debts written off
    ADJUSTMENTS = "adjustments", "Adjustments"  # by staff


ORGANIZATION_PURPOSES = (Purpose.PREVIEW, Purpose.PAID, Purpose.HELD, Purpose.OWED)

# Wallets are locked in primary-key order. Every organization uses the house's, so these have the
# highest keys: they are locked last and for the shortest time.
HOUSE_IDS = {
    Purpose.PROMOTIONS: 1_000_000_000_000_001,
    Purpose.PAYMENTS: 1_000_000_000_000_002,
    Purpose.REVENUE: 1_000_000_000_000_003,
    Purpose.SUSPENSE: 1_000_000_000_000_004,
    Purpose.LOSSES: 1_000_000_000_000_005,
    Purpose.ADJUSTMENTS: 1_000_000_000_000_006,
}


class Term(models.TextChoices):
    """The terms of an organization's equation: inflows less outflows are its balances."""

    GRANTED = "granted", "Granted, promotions included"
    ADJUSTED = "adjusted", "Adjusted by staff"
    WRITTEN_OFF = "written_off", "Debt written off"
    CAPTURED = "captured", "Consumed by jobs"
    REVERSED = "reversed", "Reversed, less reinstated"


class TransferKind(models.TextChoices):
    """Every reason for which credits move."""

    PREVIEW_GRANT = "preview_grant", "Preview credits granted"
    PAID_GRANT = "paid_grant", "Paid credits granted"
    HOLD_PREVIEW = "hold_preview", "Preview credits held for a job"
    HOLD_PAID = "hold_paid", "Paid credits held for a job"
    CAPTURE = "capture", "Held credits captured"
    RETURN_PREVIEW = "return_preview", "Held preview credits released"
    RETURN_PAID = "return_paid", "Held paid credits released"
    REFUND = "refund", "Refund: paid credits debited"
    REFUND_OWED = "refund_owed", "Refund: spent credits owed"
    REFUND_UNDONE = "refund_undone", "Refund failed: credits returned"
    REFUND_OWED_UNDONE = "refund_owed_undone", "Refund failed: debt forgiven"
    REFUND_SETTLED = "refund_settled", "Refund: paid credits applied to debt"
    REFUND_OWED_SETTLED = "refund_owed_settled", "Refund: debt settled"
    REFUND_LOSS_RECOVERED = "refund_loss_recovered", "Refund failed: write-off recovered"
    REFUND_RESERVED = "refund_reserved", "Refund under way: paid credits reserved"
    REFUND_RESERVE_RETURNED = "refund_reserve_returned", "Refund ended: reserve returned"
    DISPUTE = "dispute", "Dispute: paid credits debited"
    DISPUTE_OWED = "dispute_owed", "Dispute: spent credits owed"
    DISPUTE_WON = "dispute_won", "Dispute won: credits returned"
    DISPUTE_OWED_WON = "dispute_owed_won", "Dispute won: debt forgiven"
    DISPUTE_SETTLED = "dispute_settled", "Dispute: paid credits applied to debt"
    DISPUTE_OWED_SETTLED = "dispute_owed_settled", "Dispute: debt settled"
    DISPUTE_LOSS_RECOVERED = "dispute_loss_recovered", "Dispute won: write-off recovered"
    DISPUTE_LOST = "dispute_lost", "Dispute lost: credits written off"
    DISPUTE_LOST_OWED = "dispute_lost_owed", "Dispute lost: debt moved to losses"
    DISPUTE_LOSS_UNDONE = "dispute_loss_undone", "Dispute won after all: loss recovered"
    WRITE_OFF = "write_off", "Debt written off"
    ADJUST_PREVIEW_UP = "adjust_preview_up", "Adjustment: preview credits added"
    ADJUST_PREVIEW_DOWN = "adjust_preview_down", "Adjustment: preview credits removed"
    ADJUST_PAID_UP = "adjust_paid_up", "Adjustment: paid credits added"
    ADJUST_PAID_DOWN = "adjust_paid_down", "Adjustment: paid credits removed"


class TransferRoute(NamedTuple):
    """The two wallets of a kind of transfer, and how it counts in the organization's equation."""

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
    TransferKind.REFUND_RESERVED: TransferRoute(_P.PAID, _P.HELD),
    TransferKind.REFUND_RESERVE_RETURNED: TransferRoute(_P.HELD, _P.PAID),
    TransferKind.DISPUTE: TransferRoute(_P.PAID, _P.SUSPENSE, Term.REVERSED, -1),
    TransferKind.DISPUTE_OWED: TransferRoute(_P.SUSPENSE, _P.OWED, Term.REVERSED, -1),
    TransferKind.DISPUTE_WON: TransferRoute(_P.SUSPENSE, _P.PAID, Term.REVERSED, 1),
    TransferKind.DISPUTE_OWED_WON: TransferRoute(_P.OWED, _P.SUSPENSE, Term.REVERSED, 1),
    TransferKind.DISPUTE_SETTLED: TransferRoute(_P.PAID, _P.SUSPENSE),
    TransferKind.DISPUTE_OWED_SETTLED: TransferRoute(_P.OWED, _P.SUSPENSE),
    TransferKind.DISPUTE_LOSS_RECOVERED: TransferRoute(_P.LOSSES, _P.SUSPENSE),
    TransferKind.DISPUTE_LOST: TransferRoute(_P.SUSPENSE, _P.LOSSES),
    TransferKind.DISPUTE_LOST_OWED: TransferRoute(_P.LOSSES, _P.SUSPENSE),
    TransferKind.DISPUTE_LOSS_UNDONE: TransferRoute(_P.LOSSES, _P.SUSPENSE),
    TransferKind.WRITE_OFF: TransferRoute(_P.OWED, _P.LOSSES, Term.WRITTEN_OFF, 1),
    TransferKind.ADJUST_PREVIEW_UP: TransferRoute(_P.ADJUSTMENTS, _P.PREVIEW, Term.ADJUSTED, 1),
    TransferKind.ADJUST_PREVIEW_DOWN: TransferRoute(_P.PREVIEW, _P.ADJUSTMENTS, Term.ADJUSTED, -1),
    TransferKind.ADJUST_PAID_UP: TransferRoute(_P.ADJUSTMENTS, _P.PAID, Term.ADJUSTED, 1),
    TransferKind.ADJUST_PAID_DOWN: TransferRoute(_P.PAID, _P.ADJUSTMENTS, Term.ADJUSTED, -1),
}
