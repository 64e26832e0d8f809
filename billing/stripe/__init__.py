"""Stripe, as far as this product speaks to it; knows nothing of our tables."""
