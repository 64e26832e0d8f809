"""How the product runs: image review, unresolved outputs, queues, models and settings."""
