"""Reconciliation of Stripe's balance with the ledger, and closed months."""
