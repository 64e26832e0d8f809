"""The tables of billing; only the domain modules of this app write to them."""

from billing.models.corrections import CreditCorrection
from billing.models.daily_totals import MoneyDay, WalletTotal
from billing.models.daily_use import DailyUse, StarterCount
from billing.models.fraud_warnings import EarlyFraudWarning
from billing.models.holds import Clawback, JobHold, Lot, LotPart
from billing.models.ledger import BooksCheck, LedgerEntry, Transfer, Wallet
from billing.models.month_close import MonthClose
from billing.models.packs import CreditPack, PackChange
from billing.models.purchases import AttemptStatus, Environment, PaymentAttempt, Quote, Rail
from billing.models.receipts import Receipt, ReceiptSeries, UnmatchedPayment
from billing.models.reconciliation import BalanceMovement, Difference, ReconciledDay
from billing.models.refunds import RefundBlock, RefundRequest, RefundStatus
from billing.models.reversals import DisputeEvidence, PaymentReversal, ReversalPhase
from billing.models.stripe_events import StripeEvent

__all__ = [
    "AttemptStatus",
    "BalanceMovement",
    "BooksCheck",
    "Clawback",
    "CreditCorrection",
    "CreditPack",
    "DailyUse",
    "Difference",
    "DisputeEvidence",
    "EarlyFraudWarning",
    "Environment",
    "JobHold",
    "LedgerEntry",
    "Lot",
    "LotPart",
    "MoneyDay",
    "MonthClose",
    "PackChange",
    "PaymentAttempt",
    "PaymentReversal",
    "Quote",
    "Rail",
    "Receipt",
    "ReceiptSeries",
    "ReconciledDay",
    "RefundBlock",
    "RefundRequest",
    "RefundStatus",
    "ReversalPhase",
    "StarterCount",
    "StripeEvent",
    "Transfer",
    "UnmatchedPayment",
    "Wallet",
    "WalletTotal",
]
