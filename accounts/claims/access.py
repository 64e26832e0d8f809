"""Who may view a claim request: a browser that opened its link, and its recipient."""

from typing import Any, cast

from django.contrib import auth
from django.http import Http404, HttpRequest

from accounts.claims import decisions
from accounts.models import Claim, User

_SESSION_KEY = "claim_links"
_MAX_LINKS = 10


def remember_link(request: HttpRequest, claim: Claim) -> None:
    """Record in the session that this browser opened the link, by the request's id only."""
    others = [public_id for public_id in _link_ids(request) if public_id != claim.public_id]
    request.session[_SESSION_KEY] = [*others, claim.public_id][-_MAX_LINKS:]


def find_claim(request: HttpRequest, public_id: str) -> Claim:
    """Return a request that this browser may view; raise Http404 for any other."""
    claim = decisions.by_id(public_id)
    if claim is None or not (public_id in _link_ids(request) or _is_recipient(request, claim)):
        raise Http404
    return claim


def signed_in_user(request: HttpRequest) -> User | None:
    """Return the signed-in user, or None."""
    return request.user if request.user.is_authenticated else None


def sign_out_keeping_links(request: HttpRequest) -> None:
    """Sign out but keep the links that this browser has opened."""
    link_ids = _link_ids(request)
    auth.logout(request)
    request.session[_SESSION_KEY] = link_ids


def _link_ids(request: HttpRequest) -> list[Any]:
    return cast("list[Any]", request.session.get(_SESSION_KEY, []))


def _is_recipient(request: HttpRequest, claim: Claim) -> bool:
    user = signed_in_user(request)
    return user is not None and decisions.is_addressed_to(claim, user)
