"""Every address of the sponsor's pages, for tests that walk them all."""

from django.urls import reverse

from tests.cast import Signed
from tests.pages.conftest import Home

READ = "GET"
CHANGE = "POST"


def of(agent: Signed, home: Home) -> list[tuple[str, str]]:
    """Return (method, address) of every page and change that belongs to a sponsor."""
    agent_id, organization_id = agent.id, agent.organization.public_id
    token = agent.agent.tokens.get()
    reads = [
        reverse(name, args=[agent_id])
        for name in (
            "agent",
            "agent_images",
            "agent_jobs",
            "agent_refusals",
            "agent_activity",
            "agent_feedback",
            "agent_settings",
            "agent_end",
            "agent_hand_over",
        )
    ]
    reads += [
        reverse("sponsor_job", args=[home.job.public_id]),
        reverse("credits", args=[organization_id]),
        *(
            reverse("credit_entries", args=[organization_id, purpose])
            for purpose in ("preview", "paid", "held", "owed")
        ),
        reverse("receipt", args=[home.receipt.public_id]),
        reverse("ask_refund", args=[home.receipt.public_id]),
    ]
    changes = [
        reverse("agent_settings", args=[agent_id]),
        reverse("token_revoke", args=[agent_id, token.lookup]),
        reverse("tokens_replace", args=[agent_id]),
        reverse("agent_pause", args=[agent_id]),
        reverse("agent_resume", args=[agent_id]),
        reverse("agent_end", args=[agent_id]),
        reverse("agent_hand_over", args=[agent_id]),
        reverse("offer_withdraw", args=[agent_id]),
        reverse("buy_credits", args=[organization_id]),
    ]
    return [(READ, url) for url in reads] + [(CHANGE, url) for url in changes]
