"""The mail that asks a person to claim an agent."""

from accounts.claims import inboxes
from accounts.mail import sending
from accounts.models import Agent, Claim

_LINK_NOTICE = (
    "The link is for you alone and works for 7 days. Never paste it anywhere else: no agent, and "
    "nobody of our staff, will ask you for it. Opening it changes nothing."
)


def send(claim: Claim, *, link: str) -> None:
    """Mail the request with its link. The agent's words go in as plain text, without links."""
    agent = claim.agent
    is_offer = claim.invited_by is not None and agent.claim_state == Agent.ClaimState.CLAIMED
    stop = inboxes.unsubscribe_link(claim.recipient.address)
    letter = sending.render(
        "claim_offer" if is_offer else "claim",
        {
            "agent": sending.neutralize_links(agent.name),
            "runtime": sending.neutralize_links(agent.runtime),
            "first_seen": f"{agent.created_at:%-d %B %Y}",
            "invited_by": sending.neutralize_links(claim.invited_by.email)
            if claim.invited_by
            else "",
        },
        link=link,
        link_label="See what is asked",
        small_print=[_LINK_NOTICE, f"No mails from agents any more: {stop}"],
    )
    headers = {
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    sending.build_message(letter, to=claim.recipient.address, headers=headers).send()
