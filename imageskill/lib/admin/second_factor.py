"""Whether whoever is signed in has shown a second factor, and how lately they signed in."""

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest


def is_verified(request: HttpRequest) -> bool:
    """Return whether this session was opened, or confirmed since, with a second factor."""
    return bool(_second_factors(request))


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
