"""Billing in the console, a module for each aggregate."""

from billing.admin import (
    approval_requests,
    ledger,
    month_close,
    packs,
    purchases,
    receipts,
    reconciliation,
    reversals,
    stripe_events,
    timelines,
)

__all__ = [
    "approval_requests",
    "ledger",
    "month_close",
    "packs",
    "purchases",
    "receipts",
    "reconciliation",
    "reversals",
    "stripe_events",
    "timelines",
]
