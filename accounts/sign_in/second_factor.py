"""Adding a second factor counts as reauthentication with it."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from django.http import HttpRequest

from accounts.models import User

_FACTOR_TYPES = {Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN}


def record_new_factor(
    *, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any
) -> None:
    """Record the new authenticator as used in this session, so that it isn't asked for again.

    Its code or signature was just verified. Generating recovery codes proves nothing.
    """
    if authenticator.type in _FACTOR_TYPES:
        record_authentication(
            request,
            user,
            method="mfa",
            type=authenticator.type,
            id=authenticator.pk,
            reauthenticated=True,
        )


def connect_signals() -> None:
    """Connect to allauth's signal, its only hook for new authenticators."""
    authenticator_added.connect(record_new_factor, dispatch_uid="accounts.sign_in.second_factor")
