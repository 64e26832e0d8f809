"""The signed-in user of a request, and their agents."""

from typing import cast

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from accounts.models import Agent, User


def request_user(request: HttpRequest) -> User:
    """Return the signed-in user, in a view that requires one."""
    return cast("User", request.user)


def owned_agent(request: HttpRequest, agent_id: str) -> Agent:
    """Return an agent of the signed-in user; raise Http404 for any other."""
    owned = Agent.objects.owned_by(request_user(request)).select_related("organization")
    return get_object_or_404(owned, public_id=agent_id)
