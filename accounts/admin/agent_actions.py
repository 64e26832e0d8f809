"""Staff actions on agents and tokens."""

from collections.abc import Sequence

from django import forms

from accounts import agent_corrections, agents, audit, sponsors, suspension
from accounts.claims import requests
from accounts.models import Agent, Token
from imageskill.lib.admin.actions import ActionForm, ActionRefused, ActionRequest, StaffAction

_PERMISSION = "accounts.act_on_agents"


class EditLimitsForm(ActionForm):
    """New limits; an empty one means no limit of that kind."""

    cap_outputs_per_request = forms.IntegerField(
        label="Max images per job", min_value=1, max_value=10
    )
    cap_credits_per_operation = forms.IntegerField(label="Per-job limit", min_value=0)
    cap_credits_per_day = forms.IntegerField(label="Daily limit", min_value=0, required=False)
    cap_credits_per_week = forms.IntegerField(label="Weekly limit", min_value=0, required=False)
    cap_credits_per_month = forms.IntegerField(label="Monthly limit", min_value=0, required=False)
    cap_credits_total = forms.IntegerField(
        label="Total limit",
        min_value=0,
        required=False,
        help_text="Limits are in credits. Leave a limit empty to remove it.",
    )


class ContactForm(ActionForm):
    """A new contact email, with the proof that it is right."""

    contact = forms.EmailField(label="New contact email")
    proof = forms.CharField(
        max_length=500, help_text="How you verified that the address is theirs."
    )


def _suspend(agent: Agent, action: ActionRequest) -> str:
    if not suspension.suspend(agent=agent, user=action.user, reason=action.reason):
        raise ActionRefused("It is already suspended.")
    return f"{agent.name} is suspended."


def _reinstate(agent: Agent, action: ActionRequest) -> str:
    if not suspension.reinstate(agent=agent, user=action.user, reason=action.reason):
        raise ActionRefused("It is not suspended.")
    return f"{agent.name} is reinstated."


def _revoke(agent: Agent, action: ActionRequest) -> str:
    agents.revoke(agent, user=action.user, reason=action.reason)
    return f"{agent.name} is permanently revoked."


def _set_limits(agent: Agent, action: ActionRequest) -> str:
    agent_corrections.set_caps(
        agent=agent, user=action.user, reason=action.reason, caps=action.fields
    )
    return "The limits are saved."


def _note(agent: Agent, action_request: ActionRequest) -> str:
    audit.record(
        user=action_request.user,
        action="agent.note",
        subject=agent.public_id,
        reason=action_request.reason,
    )
    return "The note is saved."


def _reissue(agent: Agent, action: ActionRequest) -> str:
    return _invite(agent, action, contact=None, reason=action.reason)


def _set_contact(agent: Agent, action: ActionRequest) -> str:
    reason = f"{action.reason} Proof: {action.fields['proof']}"
    return _invite(agent, action, contact=action.fields["contact"], reason=reason)


def _invite(agent: Agent, action: ActionRequest, *, contact: str | None, reason: str) -> str:
    try:
        requests.reissue(agent=agent, user=action.user, reason=reason, contact=contact)
    except sponsors.SponsorActionRefused as refusal:
        raise ActionRefused(str(refusal)) from refusal
    return "A new claim link is being mailed. Earlier links no longer work."


def _revoke_token(token: Token, action: ActionRequest) -> str:
    if not agent_corrections.revoke_token(token=token, user=action.user, reason=action.reason):
        raise ActionRefused("It is already revoked.")
    return f"{token.prefix} is revoked."


def _describe_suspension(agent: Agent) -> Sequence[str]:
    return (
        f"{agent.name} can no longer create, edit, upload or buy; it gets CAPABILITY_DENIED.",
        "Accepted jobs still finish. Reading and feedback still work.",
        "You can reinstate it at any time.",
    )


def _describe_revocation(agent: Agent) -> Sequence[str]:
    active = agent.tokens.filter(revoked_at__isnull=True).count()
    return (
        f"{_count_tokens(active)} of {agent.name} revoked now; it gets AUTH_REQUIRED.",
        "Its images, credits and history stay with its organization.",
        "This can't be undone.",
    )


def _count_tokens(number: int) -> str:
    return "1 active token is" if number == 1 else f"{number} active tokens are"


def _is_claimable(agent: Agent) -> bool:
    return agent.claim_state != Agent.ClaimState.CLAIMED and not agent.is_revoked


AGENT_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="suspend",
        label="Suspend",
        permission=_PERMISSION,
        preview=_describe_suspension,
        perform=_suspend,
        is_open=lambda agent: not agent.is_suspended and not agent.is_revoked,
        is_destructive=True,
    ),
    StaffAction(
        name="reinstate",
        label="Reinstate",
        permission=_PERMISSION,
        preview=lambda agent: (
            f"{agent.name} was suspended: {agent.suspension_reason}",
            "It can spend and upload again, within its permissions and limits.",
        ),
        perform=_reinstate,
        is_open=lambda agent: agent.is_suspended and not agent.is_revoked,
    ),
    StaffAction(
        name="note",
        label="Add a note",
        permission=_PERMISSION,
        preview=lambda _: ("Staff see the note on the agent's page.",),
        perform=_note,
    ),
    StaffAction(
        name="caps",
        label="Edit limits",
        permission=_PERMISSION,
        preview=lambda agent: ("The new limits apply from the next operation.",),
        perform=_set_limits,
        form=EditLimitsForm,
        initial_values=lambda agent: {
            name: getattr(agent, name) for name in agent_corrections.CAPS
        },
        is_open=lambda agent: not agent.is_revoked,
    ),
    StaffAction(
        name="reissue",
        label="Reissue claim link",
        permission=_PERMISSION,
        preview=lambda agent: (
            f"A claim link is mailed to {agent.contact}.",
            "Earlier links stop working.",
        ),
        perform=_reissue,
        is_open=lambda agent: _is_claimable(agent) and bool(agent.contact),
    ),
    StaffAction(
        name="contact",
        label="Change contact",
        permission=_PERMISSION,
        preview=lambda agent: (
            f"The current contact is {agent.contact or 'missing'}.",
            "A claim link is mailed to the new address. Earlier links stop working.",
        ),
        perform=_set_contact,
        form=ContactForm,
        is_open=_is_claimable,
        is_sensitive=True,
    ),
    StaffAction(
        name="revoke",
        label="Revoke permanently",
        permission=_PERMISSION,
        preview=_describe_revocation,
        perform=_revoke,
        is_open=lambda agent: not agent.is_revoked,
        is_sensitive=True,
        is_destructive=True,
    ),
)

TOKEN_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="revoke",
        label="Revoke token",
        permission=_PERMISSION,
        preview=lambda token: (
            f"{token.prefix} stops working at once; {token.agent.name} gets AUTH_REQUIRED.",
            "The agent's other tokens still work.",
        ),
        perform=_revoke_token,
        is_open=lambda token: token.is_active,
        is_destructive=True,
    ),
)
