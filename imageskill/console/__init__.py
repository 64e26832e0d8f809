"""The operator console: the admin site over all apps, for staff with a second factor."""
