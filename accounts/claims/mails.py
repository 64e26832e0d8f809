"""The email that asks a person to claim an agent."""

from accounts.claims import inboxes
from accounts.mail import sending
from accounts.models import Agent, Claim

_LINK_NOTICE = (
    "This link is for you only and expires in 7 days. Never share it: no agent and no member of "
    "our staff will ask you for it. Opening it changes nothing."
)


def send(claim: Claim, *, link: str) -> None:
    """Send the request with its link. The agent's words are plain text without links."""
    agent = claim.agent
    is_offer = claim.invited_by is not None and agent.claim_state == Agent.ClaimState.CLAIMED
    unsubscribe_url = inboxes.unsubscribe_link(claim.recipient.address)
    mail = sending.render(
        "claim_offer" if is_offer else "claim",
        {
            "agent": sending.neutralize_links(agent.name),
            "runtime": sending.neutralize_links(agent.runtime),
            "first_seen": f"{agent.created_at:%b %-d, %Y}",
            "invited_by": sending.neutralize_links(claim.invited_by.email)
            if claim.invited_by
            else "",
        },
        link=link,
        link_label="Review request",
        small_print=[_LINK_NOTICE, f"Unsubscribe: {unsubscribe_url}"],
    )
    headers = {
        "List-Unsubscribe": f"<{unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    sending.send(mail, to=claim.recipient.address, headers=headers)
