"""Sign-in: forms and the adapter that customize django-allauth."""

from typing import Any, cast

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm, LoginWebAuthnForm
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.forms import CharField, PasswordInput
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts import sponsors
from accounts.mail import limits, sending
from accounts.models import User
from accounts.sign_in import reauthentication
from imageskill.lib.errors import RateLimited
from imageskill.lib.http import client_ip

log = structlog.get_logger(__name__)

_FACTOR_LABELS = {
    "mfa_reauthenticate": "Use a code from the app, or a recovery code",
    "mfa_reauthenticate:webauthn": "Use a passkey",
}


class SignInForm(LoginForm):  # type: ignore[misc]
    """Asks for an email only, and never reveals whether it is known."""

    user: User | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["login"]
        field.label = "Email"
        field.widget.attrs.pop("placeholder", None)
        field.widget.attrs["autocomplete"] = "email webauthn"

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponse:
        """Email a code. An unknown user is created first, so that both cases look alike."""
        if self.user is None:
            self.user = sponsors.get_or_create_user(self.cleaned_data["login"])
        return cast("HttpResponse", super().login(request, redirect_url=redirect_url))


class PasswordSignInForm(LoginForm):  # type: ignore[misc]
    """Email and password, for staff who have a one-time password; a second factor follows."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "Email"
        self.fields["login"].widget.attrs.pop("placeholder", None)

    def _setup_password_field(self) -> None:
        self.fields["password"] = CharField(
            label="Password",
            strip=False,
            widget=PasswordInput(attrs={"autocomplete": "current-password"}),
        )


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """Adds a passkey, or a security key that is a second factor only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "Name"
        if "passwordless" in self.fields:
            passkey = self.fields["passwordless"]
            passkey.label = "Sign in with this passkey alone, without an emailed code"
            passkey.initial = True
            passkey.help_text = "Your device asks for your fingerprint, your face or a PIN."

    def clean(self) -> dict[str, Any]:
        """Record whether the user chose to sign in with the passkey alone.

        allauth goes by what the browser reports about discoverable credentials: some browsers
        never report it, and some devices create them although the user did not choose so.
        """
        cleaned: dict[str, Any] = super().clean()
        if credential := cleaned.get("credential"):
            chosen = bool(cleaned.get("passwordless"))
            credential["clientExtensionResults"] = {"credProps": {"rk": chosen}}
        return cleaned


class PasskeySignInForm(LoginWebAuthnForm):  # type: ignore[misc]
    """Signs in with a passkey alone, if it was added for that."""

    def clean_credential(self) -> Authenticator:
        """Refuse a key that is a second factor only: a forged request could send one."""
        authenticator: Authenticator = super().clean_credential()
        if not authenticator.wrap().is_passwordless:
            raise ValidationError("This key is a second factor only. Request a sign-in code first.")
        return authenticator


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Customizes django-allauth for this project."""

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Apply our rule: raise if reauthentication is required, otherwise return False.

        allauth's own rule lets in users with neither a factor nor a password and accepts a
        password instead of a factor; this method's result could only relax it further.
        """
        reauthentication.require(self.request)
        return False

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """Return the user's second factors, or an emailed code if there are none."""
        methods = super().get_reauthentication_methods(user)
        factors = [
            method | {"description": _FACTOR_LABELS.get(method["id"], method["description"])}
            for method in methods
            if method["id"] != "reauthenticate"
        ]
        if factors or not user.is_authenticated:
            return factors
        url = reverse("account_reauthenticate")
        return [{"id": "code", "description": "Use an emailed code", "url": url}]

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: there is no sign-up form; signing in by code creates users."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client address that the API's rate limits use too."""
        return client_ip(request)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send an email, unless its inbox or this network has had too many.

        Whoever waits for a code is told so; a notice that nobody waits for is left out.
        """
        try:
            limits.consume_for_request(self.request, email)
        except RateLimited:
            log.warning("mail_over_limit", template=template_prefix)
            if "code" in context:
                response = render(self.request, "429.html", status=429)
                raise ImmediateHttpResponse(response) from None
            return
        super().send_mail(template_prefix, email, context)

    def format_email_subject(self, subject: str) -> str:
        """Return the subject unchanged."""
        return subject

    def render_mail(
        self,
        template_prefix: str,
        email: str,
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """Render allauth's text in our layout, as plain text and HTML."""
        rendered = super().render_mail(template_prefix, email, context, headers)
        paragraphs = [" ".join(part.split()) for part in str(rendered.body).split("\n\n")]
        mail = sending.MailMessage(
            subject=rendered.subject,
            paragraphs=[part for part in paragraphs if part],
            code=str(context.get("code", "")),
        )
        return sending.build_message(mail, to=email, headers=headers)
