"""Accounts in the console, a module for each aggregate."""

from accounts.admin import agents, people, trails

__all__ = ["agents", "people", "trails"]
