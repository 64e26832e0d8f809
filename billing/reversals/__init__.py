"""Refunds and disputes: requested, sent, applied to the ledger."""
