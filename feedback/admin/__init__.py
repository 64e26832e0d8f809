"""The admin of feedback, a module for each aggregate."""

from feedback.admin import github_events, github_queue, reports

__all__ = ["github_events", "github_queue", "reports"]
