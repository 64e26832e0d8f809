"""The rows of feedback, a module for each aggregate."""

from feedback.models.reports import Report

__all__ = ["Report"]
