"""What staff can do to agents and tokens."""

from collections.abc import Sequence

from django import forms

from accounts import agent_corrections, agents, audit, sponsors, suspension
from accounts.claims import requests
from accounts.models import Agent, Token
from imageskill.lib.admin.actions import Asked, Deed, ReasonForm, Refused

_ACT = "accounts.act_on_agents"


class CapsForm(ReasonForm):
    """New caps; an empty one means no cap of that kind."""

    cap_outputs_per_request = forms.IntegerField(min_value=1, max_value=10)
    cap_credits_per_operation = forms.IntegerField(min_value=0)
    cap_credits_per_day = forms.IntegerField(min_value=0, required=False)
    cap_credits_per_week = forms.IntegerField(min_value=0, required=False)
    cap_credits_per_month = forms.IntegerField(min_value=0, required=False)
    cap_credits_total = forms.IntegerField(min_value=0, required=False)


class ContactForm(ReasonForm):
    """A new contact address, with what proves that it is right."""

    contact = forms.EmailField(label="new contact address")
    proof = forms.CharField(max_length=500, help_text="How you know that it is theirs.")


def _suspend(agent: Agent, asked: Asked) -> str:
    if not suspension.suspend(agent=agent, user=asked.user, reason=asked.reason):
        raise Refused("It was suspended already.")
    return f"{agent.name} is suspended."


def _reinstate(agent: Agent, asked: Asked) -> str:
    if not suspension.reinstate(agent=agent, user=asked.user, reason=asked.reason):
        raise Refused("It was not suspended.")
    return f"{agent.name} may work again."


def _revoke(agent: Agent, asked: Asked) -> str:
    agents.revoke(agent, user=asked.user, reason=asked.reason)
    return f"{agent.name} is ended for good."


def _set_caps(agent: Agent, asked: Asked) -> str:
    agent_corrections.set_caps(agent=agent, user=asked.user, reason=asked.reason, caps=asked.fields)
    return "The caps are set."


def _note(agent: Agent, asked: Asked) -> str:
    audit.record(user=asked.user, action="agent.note", subject=agent.public_id, reason=asked.reason)
    return "The note is kept."


def _reissue(agent: Agent, asked: Asked) -> str:
    return _invite(agent, asked, contact=None, reason=asked.reason)


def _set_contact(agent: Agent, asked: Asked) -> str:
    reason = f"{asked.reason} Proof: {asked.fields['proof']}"
    return _invite(agent, asked, contact=asked.fields["contact"], reason=reason)


def _invite(agent: Agent, asked: Asked, *, contact: str | None, reason: str) -> str:
    try:
        requests.reissue(agent=agent, user=asked.user, reason=reason, contact=contact)
    except sponsors.Refused as refusal:
        raise Refused(str(refusal)) from refusal
    return "A new claim link is on its way; earlier ones no longer work."


def _revoke_token(token: Token, asked: Asked) -> str:
    if not agent_corrections.revoke_token(token=token, user=asked.user, reason=asked.reason):
        raise Refused("It had ended before.")
    return f"{token.prefix} no longer works."


def _suspension_means(agent: Agent) -> Sequence[str]:
    return (
        f"{agent.name} can no longer create, edit, upload or buy; it reads CAPABILITY_DENIED.",
        "Work that was accepted goes on to its end. Reading and feedback go on working.",
        "It can be reinstated at any time.",
    )


def _revocation_means(agent: Agent) -> Sequence[str]:
    working = agent.tokens.filter(revoked_at__isnull=True).count()
    return (
        f"All {working} working tokens of {agent.name} end now; it reads AUTH_REQUIRED.",
        "Its images, credits and history stay with its organization.",
        "This can't be undone.",
    )


def _is_claimable(agent: Agent) -> bool:
    return agent.claim_state != Agent.ClaimState.CLAIMED and not agent.is_revoked


AGENT: Sequence[Deed] = (
    Deed(
        name="suspend",
        label="Suspend",
        permission=_ACT,
        preview=_suspension_means,
        perform=_suspend,
        is_open=lambda agent: not agent.is_suspended and not agent.is_revoked,
        is_destructive=True,
    ),
    Deed(
        name="reinstate",
        label="Reinstate",
        permission=_ACT,
        preview=lambda agent: (
            f"{agent.name} was suspended because: {agent.suspension_reason}",
            "It may spend and upload again, within its grants and caps.",
        ),
        perform=_reinstate,
        is_open=lambda agent: agent.is_suspended and not agent.is_revoked,
    ),
    Deed(
        name="note",
        label="Add a note",
        permission=_ACT,
        preview=lambda _: ("What you write below stays with the agent, for staff to read.",),
        perform=_note,
    ),
    Deed(
        name="caps",
        label="Change caps",
        permission=_ACT,
        preview=lambda agent: ("The new caps count from the next operation on.",),
        perform=_set_caps,
        form=CapsForm,
        form_for=lambda agent: {name: getattr(agent, name) for name in agent_corrections.CAPS},
        is_open=lambda agent: not agent.is_revoked,
    ),
    Deed(
        name="reissue",
        label="Re-issue claim link",
        permission=_ACT,
        preview=lambda agent: (
            f"A claim link is mailed to {agent.contact}.",
            "Links that were sent before no longer work.",
        ),
        perform=_reissue,
        is_open=lambda agent: _is_claimable(agent) and bool(agent.contact),
    ),
    Deed(
        name="contact",
        label="Change contact",
        permission=_ACT,
        preview=lambda agent: (
            f"The contact is now {agent.contact or 'missing'}.",
            "A claim link is mailed to the new one; earlier links no longer work.",
        ),
        perform=_set_contact,
        form=ContactForm,
        is_open=_is_claimable,
        is_sensitive=True,
    ),
    Deed(
        name="revoke",
        label="Revoke for good",
        permission=_ACT,
        preview=_revocation_means,
        perform=_revoke,
        is_open=lambda agent: not agent.is_revoked,
        is_sensitive=True,
        is_destructive=True,
    ),
)

TOKEN: Sequence[Deed] = (
    Deed(
        name="revoke",
        label="Revoke token",
        permission=_ACT,
        preview=lambda token: (
            f"{token.prefix} stops working at once; {token.agent.name} reads AUTH_REQUIRED.",
            "Other tokens of the agent go on working.",
        ),
        perform=_revoke_token,
        is_open=lambda token: token.is_active,
        is_destructive=True,
    ),
)
