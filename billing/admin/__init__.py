"""Billing in the console, a module for each aggregate."""

from billing.admin import events, ledger, purchases, receipts

__all__ = ["events", "ledger", "purchases", "receipts"]
