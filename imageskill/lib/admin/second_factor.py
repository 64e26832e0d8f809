"""Whether whoever is signed in has shown a second factor, and how lately they signed in."""

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest

_HAS_FACTOR = "_has_second_factor"


def is_verified(request: HttpRequest) -> bool:
    """Return whether this session has a second factor that is recent enough for staff.

    It was given within STAFF_SESSION_HOURS, and the user still has one: whoever loses the last
    one leaves the console at once.
    """
    oldest = time.time() - settings.STAFF_SESSION_HOURS * 3600
    if not any(record["at"] > oldest for record in _second_factors(request)):
        return False
    if not hasattr(request, _HAS_FACTOR):  # asked several times for each page
        setattr(request, _HAS_FACTOR, is_mfa_enabled(request.user))
    return bool(getattr(request, _HAS_FACTOR))


def require_recent(request: HttpRequest) -> None:
    """Raise `ReauthenticationRequired` when the second factor was given too long ago.

    How long is ACCOUNT_REAUTHENTICATION_TIMEOUT, in seconds; signing in counts as giving it.
    """
    _require_recent(_second_factors(request))


def require_sign_in_lately(request: HttpRequest) -> None:
    """Raise `ReauthenticationRequired` when the sign-in, by whatever means, is too long ago."""
    _require_recent(get_authentication_records(request, request.user))


def _second_factors(request: HttpRequest) -> list[dict[str, Any]]:
    records = get_authentication_records(request, request.user)
    return [record for record in records if record.get("method") == "mfa"]


def _require_recent(records: list[dict[str, Any]]) -> None:
    oldest = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
    if not any(record["at"] > oldest for record in records):
        raise ReauthenticationRequired
