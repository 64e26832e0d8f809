"""The tables of feedback, a module for each aggregate."""

from feedback.models.github_events import GithubEvent
from feedback.models.queue import GithubRepository, QueueItem
from feedback.models.reports import Report

__all__ = ["GithubEvent", "GithubRepository", "QueueItem", "Report"]
