"""What setting a second factor up counts for: it was shown just now."""

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
    """Count the new authenticator as used in this session: nobody is asked for it twice at once.

    Its code or signature was checked a moment ago. Recovery codes prove nothing by being made.
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
    """Hear of new authenticators from django-allauth, which offers no other way."""
    authenticator_added.connect(record_new_factor, dispatch_uid="accounts.sign_in.second_factor")
