"""The only place where Stripe's events become calls."""
