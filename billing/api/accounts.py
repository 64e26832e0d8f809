"""Endpoints of signing up and of the quota."""

from ninja import Router

from accounts.api.auth import bearer, build_actor, caller, optional_bearer, request_token
from accounts.api.endpoints import agent_out
from accounts.api.schemas import ActorOut, AgentOut, OrganizationOut
from accounts.models import Agent
from accounts.tokens import minting
from billing import ledger, quota, signup
from billing.api import signup_limits
from billing.api.account_schemas import SignupIn, SignupOut, StorageOut
from billing.quota import Quota
from imageskill.lib import clock
from imageskill.lib.envelope import openapi_command
from imageskill.lib.http import ApiRequest, client_ip, networks_of

router = Router()

_SHOWN_ONCE_WARNING = (
    "The token is shown only once and can't be read again: store it now, as a secret, and keep"
    " it out of prompts, logs and reports."
)
_NO_STARTER_CREDITS_WARNING = (
    "Starter credits are limited for each contact, each network and each day, and a limit is"
    " reached: the account was opened without any. Buying credits works."
)


@router.post(
    "/v1/agent-signups",
    auth=optional_bearer,
    response=SignupOut,
    operation_id="create_agent_signup",
    openapi_extra=openapi_command("image-skill signup"),
    summary="Sign an agent up; with its current token, rotate the token",
    tags=["identity"],
)
def sign_up(request: ApiRequest, body: SignupIn) -> SignupOut:
    """Create an agent with its organization and credits, or rotate the caller's token."""
    agent = caller(request)
    if agent is not None:
        return _rotate_token(request, agent, wants_token=body.return_token)
    opened = signup.open_account(
        name=body.agent_name,
        runtime=body.runtime,
        contact=body.contact,
        networks=networks_of(client_ip(request)),
        discovery_source=body.discovery_source or "",
        is_bounded=signup_limits.is_bounded(request),
    )
    if not opened.starter_credits:
        request.warnings.append(_NO_STARTER_CREDITS_WARNING)
    request.actor = build_actor(opened.agent)
    balances = ledger.Balances(preview=opened.starter_credits, paid=0, held=0, owed=0)
    token = opened.token if body.return_token else None
    return _signup_out(request, opened.agent, token, balances)


@router.get(
    "/v1/quota",
    auth=bearer,
    response=Quota,
    operation_id="get_quota",
    openapi_extra=openapi_command("image-skill usage quota"),
    summary="Show credits, the day's jobs and limits: the check before spending",
    tags=["identity"],
)
def show_quota(request: ApiRequest) -> Quota:
    """Return what the agent may still spend and do."""
    return quota.quota_out(request.auth, at=clock.now())


def _rotate_token(request: ApiRequest, agent: Agent, *, wants_token: bool) -> SignupOut:
    token = None
    if wants_token:
        token = signup.rotate_token(request_token(request))
    else:
        # A rotated token that is not returned would lock the agent out.
        request.warnings.append("The token was not rotated: return_token is false.")
    return _signup_out(request, agent, token, ledger.balances(agent.organization_id))


def _signup_out(
    request: ApiRequest, agent: Agent, token: str | None, balances: ledger.Balances
) -> SignupOut:
    if token is not None:
        request.warnings.append(_SHOWN_ONCE_WARNING)
    return SignupOut(
        token=token,
        token_presented=token is not None,
        storage=StorageOut(
            saved=False,
            token_prefix=None if token is None else token[: len(minting.PREFIX) + 8],
            reason="tokens are kept by the caller; the service stores a hash only",
        ),
        actor=ActorOut.model_validate(build_actor(agent)),
        agent=AgentOut.model_validate(agent_out(agent)),
        organization=OrganizationOut(organization_id=agent.organization.public_id),
        claim_state=agent.claim_state,
        grants=agent.grants,
        limits=quota.limits_out(agent, balances),
    )
