"""Feedback in the console, a module for each aggregate."""

from feedback.admin import queue, reports

__all__ = ["queue", "reports"]
