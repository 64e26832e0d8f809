"""Signing in again before an e-mail address, a passkey or a factor changes.

Whoever has a factor uses that one, nothing weaker; whoever has none types a code mailed to them.
A sign-in within ACCOUNT_REAUTHENTICATION_TIMEOUT counts too.
"""

from typing import Any, Self, cast

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.code_verification import AbstractCodeVerificationProcess
from allauth.account.internal.flows.login import record_authentication
from allauth.core import ratelimit
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest

from accounts.models import User
from imageskill.lib.admin import second_factor

_STATE_KEY = "account_reauthentication_code"


def require(request: HttpRequest) -> None:
    """Raise `ReauthenticationRequired` unless the person signed in, or again, a moment ago."""
    if is_mfa_enabled(request.user):
        second_factor.require_recent(request)
    else:
        second_factor.require_sign_in_lately(request)


class MailedCode(AbstractCodeVerificationProcess):  # type: ignore[misc]
    """A code mailed to whoever is signed in; lives in their session until typed or too old."""

    def __init__(self, request: HttpRequest, state: dict[str, Any]) -> None:
        self.request = request
        super().__init__(
            max_attempts=app_settings.LOGIN_BY_CODE_MAX_ATTEMPTS,
            timeout=app_settings.LOGIN_BY_CODE_TIMEOUT,
            state=state,
        )

    @classmethod
    def resume(cls, request: HttpRequest) -> Self | None:
        """Return the code that waits to be typed, if any."""
        state = request.session.get(_STATE_KEY)
        return cast("Self | None", cls(request, state).abort_if_invalid()) if state else None

    @classmethod
    def initiate(cls, request: HttpRequest, user: User) -> bool:
        """Mail a new code, which replaces the one before; return False past the limit.

        The limit is the one of sign-in codes: to an inbox they are the same mail.
        """
        if not ratelimit.consume(request, action="request_login_code", key=user.email.lower()):
            return False
        state = cls.initial_state(user, email=user.email)
        process = cls(request, state | {"code": get_adapter().generate_login_code()})
        process.persist()
        process.send()
        return True

    def persist(self) -> None:
        """Keep the code and its failed attempts in the session."""
        self.request.session[_STATE_KEY] = self.state

    def send(self) -> None:
        """Mail the code."""
        context = {"request": self.request, "code": self.code}
        get_adapter().send_mail("account/email/login_code", self.state["email"], context)

    def abort(self) -> None:
        """Make the code void."""
        self.request.session.pop(_STATE_KEY, None)

    def finish(self) -> None:
        """Count the person as signed in again; the code is used up."""
        self.abort()
        record_authentication(
            self.request,
            self.user,
            method="code",
            email=self.state["email"],
            reauthenticated=True,
        )
