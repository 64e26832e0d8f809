"""Billing in the console, a module for each aggregate."""

from billing.admin import (
    closing,
    events,
    ledger,
    packs,
    purchases,
    receipts,
    reconciled,
    requests,
    reversals,
    timelines,
)

__all__ = [
    "closing",
    "events",
    "ledger",
    "packs",
    "purchases",
    "receipts",
    "reconciled",
    "requests",
    "reversals",
    "timelines",
]
