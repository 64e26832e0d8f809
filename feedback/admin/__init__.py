"""Feedback in the console, a module for each aggregate."""

from feedback.admin import events, queue, reports

__all__ = ["events", "queue", "reports"]
