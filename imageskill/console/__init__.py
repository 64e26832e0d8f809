"""The operator console: one site over all apps, for staff with a second factor."""
