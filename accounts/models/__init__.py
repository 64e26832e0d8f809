"""Models of accounts, one module per aggregate."""

from accounts.models.activity import ActivityEvent
from accounts.models.agents import Agent, Organization
from accounts.models.alerts import Alert
from accounts.models.audit import AuditLine
from accounts.models.claims import Claim, ClaimRecipient
from accounts.models.duties import Duty
from accounts.models.saved_filters import SavedFilter
from accounts.models.telemetry import TelemetryRow
from accounts.models.tokens import Token
from accounts.models.users import User

__all__ = [
    "ActivityEvent",
    "Agent",
    "Alert",
    "AuditLine",
    "Claim",
    "ClaimRecipient",
    "Duty",
    "Organization",
    "SavedFilter",
    "TelemetryRow",
    "Token",
    "User",
]
