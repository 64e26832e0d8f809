"""What agents report, and what became of it."""
