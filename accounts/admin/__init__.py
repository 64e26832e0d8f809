"""The admin of accounts, a module for each aggregate."""

from accounts.admin import agents, claims, logs, users

__all__ = ["agents", "claims", "logs", "users"]
