"""Who is visiting a page, and what of ours is theirs."""

from typing import cast

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from accounts.models import Agent, User


def request_user(request: HttpRequest) -> User:
    """Return the person who is signed in (the view demands that somebody is)."""
    return cast("User", request.user)


def owned_agent(request: HttpRequest, agent_id: str) -> Agent:
    """Return an agent of the person who is signed in; 404 for everybody else's."""
    mine = Agent.objects.owned_by(request_user(request)).select_related("organization")
    return get_object_or_404(mine, public_id=agent_id)
