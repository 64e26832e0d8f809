"""Accounts in the console, a module for each aggregate."""

from accounts.admin import agents, claims, people, trails

__all__ = ["agents", "claims", "people", "trails"]
