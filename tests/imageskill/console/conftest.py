"""Signing staff in, as a second factor would have done it."""

import time
from collections.abc import Callable

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.mfa.utils import is_mfa_enabled
from django.test import Client

from accounts.models import User


def sign_in(user: User, *, second_factor: bool = True, minutes_ago: int = 0) -> Client:
    """Return a browser without scripts in which this member of staff has signed in."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    at = time.time() - minutes_ago * 60
    records = [{"method": "code", "at": at}]
    if second_factor:
        if not is_mfa_enabled(user):
            TOTP.activate(user, generate_totp_secret())
        records.append({"method": "mfa", "type": "totp", "at": at})
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = records
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client


@pytest.fixture
def signed_in() -> Callable[..., Client]:
    """Sign members of staff in."""
    return sign_in
