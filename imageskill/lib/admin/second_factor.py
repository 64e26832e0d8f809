"""Whether whoever signed in has shown a second factor, and how lately."""

import time

from allauth.account import app_settings
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest


def was_given(request: HttpRequest) -> bool:
    """Tell whether this session was opened, or confirmed since, with a second factor."""
    return bool(_moments(request))


def require_lately(request: HttpRequest) -> None:
    """Raise `ReauthenticationRequired` when the second factor was given too long ago.

    How long is ACCOUNT_REAUTHENTICATION_TIMEOUT, in seconds; signing in counts as giving it.
    """
    oldest = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
    if not any(at > oldest for at in _moments(request)):
        raise ReauthenticationRequired


def _moments(request: HttpRequest) -> list[float]:
    records = get_authentication_records(request, request.user)
    return [record["at"] for record in records if record.get("method") == "mfa"]
