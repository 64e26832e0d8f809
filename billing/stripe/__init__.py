"""Stripe: calls, objects, and whose an object is; knows nothing of our tables."""
