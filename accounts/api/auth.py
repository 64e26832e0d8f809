"""Authentication of API calls: a bearer token that is present is always checked."""

from typing import cast

from django.http import HttpRequest
from ninja.security.base import AuthBase

from accounts.models import Agent, Token
from accounts.tokens import minting
from imageskill.lib.http import Actor, ApiRequest


class Bearer(AuthBase):
    """Authenticates `Authorization: Bearer isk_r_…`; the agent becomes `request.auth`."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, *, is_required: bool) -> None:
        self.is_required = is_required
        super().__init__()

    def __call__(self, request: HttpRequest) -> Agent | bool:
        """Return the agent of the token, or True for an anonymous call where that is allowed."""
        header = request.headers.get("Authorization")
        if header is None and not self.is_required:
            return True
        scheme, _, text = (header or "").partition(" ")
        if scheme.lower() != "bearer":
            raise minting.auth_required()
        token = minting.verify(text.strip())
        agent = token.agent
        vars(request).update(actor=build_actor(agent), token=token)
        return agent


bearer = Bearer(is_required=True)
optional_bearer = Bearer(is_required=False)


def build_actor(agent: Agent) -> Actor:
    """Return the agent as the envelope's `actor`."""
    return {
        "actor_type": "agent",
        "actor_id": agent.public_id,
        "organization_id": agent.organization.public_id,
        "claim_state": agent.claim_state,
    }


def caller(request: ApiRequest) -> Agent | None:
    """Return the authenticated agent of a call, or None."""
    auth = getattr(request, "auth", None)
    return auth if isinstance(auth, Agent) else None


def request_token(request: ApiRequest) -> Token:
    """Return the token that authenticated this call."""
    return cast("Token", vars(request)["token"])
