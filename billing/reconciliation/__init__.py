"""Stripe's balance beside ours, and closed months."""
