"""Who may look at a claim request: whoever opened its link in this browser, and its addressee."""

from typing import Any, cast

from django.contrib import auth
from django.http import Http404, HttpRequest

from accounts.claims import decisions
from accounts.models import Claim, User

_SESSION_KEY = "claim_links"
_MAX_LINKS = 10


def remember_link(request: HttpRequest, claim: Claim) -> None:
    """Note in the session that this browser holds the link; the link itself stays out of it."""
    held = [public_id for public_id in _link_ids(request) if public_id != claim.public_id]
    request.session[_SESSION_KEY] = [*held, claim.public_id][-_MAX_LINKS:]


def find_claim(request: HttpRequest, public_id: str) -> Claim:
    """Return the request that this browser may look at; 404 for everybody else."""
    claim = decisions.by_id(public_id)
    if claim is None or not (public_id in _link_ids(request) or _is_addressee(request, claim)):
        raise Http404
    return claim


def signed_in_user(request: HttpRequest) -> User | None:
    """Return whoever is signed in, or None."""
    return request.user if request.user.is_authenticated else None


def sign_out_keeping_links(request: HttpRequest) -> None:
    """Sign out, and keep the links that this browser has opened."""
    held = _link_ids(request)
    auth.logout(request)
    request.session[_SESSION_KEY] = held


def _link_ids(request: HttpRequest) -> list[Any]:
    return cast("list[Any]", request.session.get(_SESSION_KEY, []))


def _is_addressee(request: HttpRequest, claim: Claim) -> bool:
    user = signed_in_user(request)
    return user is not None and decisions.is_addressed_to(claim, user)
