"""The rows of feedback, a module for each aggregate."""

from feedback.models.queue import GithubEvent, GithubRepository, QueueItem
from feedback.models.reports import Report

__all__ = ["GithubEvent", "GithubRepository", "QueueItem", "Report"]
