"""Feedback in the console, a module for each aggregate."""

from feedback.admin import reports

__all__ = ["reports"]
