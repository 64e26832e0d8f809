"""Refunds and disputes: requested, sent to Stripe, applied to the ledger."""
