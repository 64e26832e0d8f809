"""The admin of jobs, a module for each aggregate."""

from jobs.admin import assets, jobs, usage

__all__ = ["assets", "jobs", "usage"]
