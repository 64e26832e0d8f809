"""Who may look at a claim request: whoever opened its link in this browser, and its addressee."""

from typing import Any, cast

from django.contrib import auth
from django.http import Http404, HttpRequest

from accounts.claims import decisions
from accounts.models import Claim, User

_KEY = "claim_links"
_MOST = 10


def remember(request: HttpRequest, claim: Claim) -> None:
    """Note in the session that this browser holds the link; the link itself stays out of it."""
    held = [public_id for public_id in _held(request) if public_id != claim.public_id]
    request.session[_KEY] = [*held, claim.public_id][-_MOST:]


def find(request: HttpRequest, public_id: str) -> Claim:
    """Give the request that this browser may look at; 404 for everybody else."""
    claim = decisions.by_id(public_id)
    if claim is None or not (public_id in _held(request) or _is_addressee(request, claim)):
        raise Http404
    return claim


def person(request: HttpRequest) -> User | None:
    """Give whoever is signed in, or None."""
    return request.user if request.user.is_authenticated else None


def forget_person(request: HttpRequest) -> None:
    """Sign out, and keep the links that this browser has opened."""
    held = _held(request)
    auth.logout(request)
    request.session[_KEY] = held


def _held(request: HttpRequest) -> list[Any]:
    return cast("list[Any]", request.session.get(_KEY, []))


def _is_addressee(request: HttpRequest, claim: Claim) -> bool:
    user = person(request)
    return user is not None and decisions.is_addressed_to(claim, user)
