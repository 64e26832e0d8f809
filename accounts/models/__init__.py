"""The rows of accounts, a module for each aggregate."""

from accounts.models.activity import ActivityEvent
from accounts.models.agents import Agent, Organization
from accounts.models.audit import AuditLine
from accounts.models.telemetry import TelemetryRow
from accounts.models.tokens import Token
from accounts.models.users import User

__all__ = [
    "ActivityEvent",
    "Agent",
    "AuditLine",
    "Organization",
    "TelemetryRow",
    "Token",
    "User",
]
