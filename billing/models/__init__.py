"""The tables of billing; only verb modules of this app write to them."""

from billing.models.checks import BooksCheck
from billing.models.daily import DailyUse, StarterCount
from billing.models.holds import JobHold, Lot, LotPart, Taking
from billing.models.ledger import LedgerEntry, Transfer, Wallet
from billing.models.packs import CreditPack
from billing.models.purchases import AttemptStatus, Environment, PaymentAttempt, Quote, Rail
from billing.models.receipts import Receipt, ReceiptSeries, UnmatchedPayment
from billing.models.reversals import PaymentReversal, ReversalPhase
from billing.models.stripe_events import StripeEvent

__all__ = [
    "AttemptStatus",
    "BooksCheck",
    "CreditPack",
    "DailyUse",
    "Environment",
    "JobHold",
    "LedgerEntry",
    "Lot",
    "LotPart",
    "PaymentAttempt",
    "PaymentReversal",
    "Quote",
    "Rail",
    "Receipt",
    "ReceiptSeries",
    "ReversalPhase",
    "StarterCount",
    "StripeEvent",
    "Taking",
    "Transfer",
    "UnmatchedPayment",
    "Wallet",
]
