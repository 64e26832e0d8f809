"""Reauthentication before an email, a passkey or a second factor changes.

Users with a second factor must use it; others enter an emailed code. A sign-in within
ACCOUNT_REAUTHENTICATION_TIMEOUT counts too.
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
    """Raise `ReauthenticationRequired` unless the user signed in recently."""
    if is_mfa_enabled(request.user):
        second_factor.require_recent(request)
    else:
        second_factor.require_sign_in_lately(request)


class MailedCode(AbstractCodeVerificationProcess):  # type: ignore[misc]
    """A code emailed to the signed-in user, stored in their session until used or expired."""

    def __init__(self, request: HttpRequest, state: dict[str, Any]) -> None:
        self.request = request
        super().__init__(
            max_attempts=app_settings.LOGIN_BY_CODE_MAX_ATTEMPTS,
            timeout=app_settings.LOGIN_BY_CODE_TIMEOUT,
            state=state,
        )

    @classmethod
    def resume(cls, request: HttpRequest) -> Self | None:
        """Return the pending code, if any."""
        state = request.session.get(_STATE_KEY)
        return cast("Self | None", cls(request, state).abort_if_invalid()) if state else None

    @classmethod
    def initiate(cls, request: HttpRequest, user: User) -> bool:
        """Send a new code that replaces the previous one; return False over the rate limit.

        Shares the rate limit of sign-in codes, because both are the same email.
        """
        if not ratelimit.consume(request, action="request_login_code", key=user.email.lower()):
            return False
        state = cls.initial_state(user, email=user.email)
        process = cls(request, state | {"code": get_adapter().generate_login_code()})
        process.persist()
        process.send()
        return True

    def persist(self) -> None:
        """Store the code and its failed attempts in the session."""
        self.request.session[_STATE_KEY] = self.state

    def send(self) -> None:
        """Send the code."""
        context = {"request": self.request, "code": self.code}
        get_adapter().send_mail("account/email/login_code", self.state["email"], context)

    def abort(self) -> None:
        """Invalidate the code."""
        self.request.session.pop(_STATE_KEY, None)

    def finish(self) -> None:
        """Record the reauthentication and invalidate the code."""
        self.abort()
        record_authentication(
            self.request,
            self.user,
            method="code",
            email=self.state["email"],
            reauthenticated=True,
        )
