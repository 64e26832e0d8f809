"""The bytes that an organization stores, held to its limit where an upload or a job begins.

A job that began delivers what it made, even past the limit: it was paid for.
"""

from accounts import storage_limits
from accounts.models import Agent, Organization
from imageskill.lib.errors import ApiError

_HOW_TO_FREE = "Delete images that are no longer needed (assets list, then assets delete)"


class StorageFull(ApiError):
    """The organization stores as much as it may; nothing was written."""

    code = "QUOTA_EXCEEDED"
    status = 402
    exit_code = 5
    message = "There is no storage left for this organization."


def check(agent: Agent, *, added_bytes: int = 1) -> None:
    """Raise `StorageFull` if so many bytes more are too many, by the count as it was loaded."""
    _check(agent, agent.organization.stored_bytes, added_bytes)


def check_recorded(agent: Agent) -> None:
    """Raise `StorageFull` if the assets written in this transaction are too many.

    Writing them has locked the organization's count until the end of the transaction, so of
    two uploads at once the second one finds the first one counted.
    """
    organization = Organization.objects.filter(pk=agent.organization_id)
    _check(agent, organization.values_list("stored_bytes", flat=True).get(), 0)


def _check(agent: Agent, stored: int, added: int) -> None:
    limit = storage_limits.limit_bytes(agent)
    if stored + added <= limit:
        return
    can_raise = agent.claim_state != Agent.ClaimState.CLAIMED
    raising = "; paid credits or a sponsor raise the limit" if can_raise else ""
    raise StorageFull(
        f"This organization may store {limit:,} bytes of images, and there is no room for this. "
        f"{_HOW_TO_FREE}{raising}.",
        recovery={"suggested_command": "image-skill usage quota --json"},
    )
