"""Signing in: what django-allauth is told to do our way. Codes, passkeys and limits are its own."""

from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm, LoginWebAuthnForm
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.forms import CharField, PasswordInput
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts import sponsors
from accounts.mail import sending
from accounts.models import User
from accounts.sign_in import reauthentication
from imageskill.lib.http import client_ip


class SignInForm(LoginForm):  # type: ignore[misc]
    """Asks for a mail address, nothing else; whether it is known shows nowhere."""

    user: User | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["login"]
        field.label = "Your mail address"
        field.widget.attrs.pop("placeholder", None)
        field.widget.attrs["autocomplete"] = "email webauthn"

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponse:
        """Mail a code; a person we have not met is made first, so that both cases look alike."""
        if self.user is None:
            self.user = sponsors.get_or_create_user(self.cleaned_data["login"])
        return cast("HttpResponse", super().login(request, redirect_url=redirect_url))


class PasswordSignInForm(LoginForm):  # type: ignore[misc]
    """Address and password, for staff whose account has one; a second factor follows."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "Mail address"
        self.fields["login"].widget.attrs.pop("placeholder", None)

    def _setup_password_field(self) -> None:
        self.fields["password"] = CharField(
            label="Password",
            strip=False,
            widget=PasswordInput(attrs={"autocomplete": "current-password"}),
        )


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """Adds a passkey unless told to add a mere second factor."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "What you call it"
        if "passwordless" in self.fields:
            passkey = self.fields["passwordless"]
            passkey.label, passkey.initial = "Sign in with it alone, without a mailed code", True
            passkey.help_text = "Asks for your finger, your face or its PIN."

    def clean(self) -> dict[str, Any]:
        """Keep what the person chose as what the passkey is for.

        The browser reports instead whether the device can be asked without an account's name:
        some never report it, and some devices can although nobody chose so.
        """
        cleaned: dict[str, Any] = super().clean()
        if credential := cleaned.get("credential"):
            chosen = bool(cleaned.get("passwordless"))
            credential["clientExtensionResults"] = {"credProps": {"rk": chosen}}
        return cleaned


class PasskeySignInForm(LoginWebAuthnForm):  # type: ignore[misc]
    """Signs in by a passkey alone, if it was added for that."""

    def clean_credential(self) -> Authenticator:
        """Refuse a mere second factor; the browser was asked for nothing else, an attacker may."""
        authenticator: Authenticator = super().clean_credential()
        if not authenticator.wrap().is_passwordless:
            raise ValidationError(
                "This passkey is a second factor only. Ask for a mailed code first."
            )
        return authenticator


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Where allauth asks the project."""

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Hold what allauth guards to our rule: raise, or return that nothing more is required.

        Its own rule lets in whoever has neither a factor nor a password, takes a password instead
        of a factor, and can only be relaxed by what this method returns.
        """
        reauthentication.require(self.request)
        return False

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """Return the factors of whoever has one; a mailed code is for who has none."""
        methods = super().get_reauthentication_methods(user)
        factors = [method for method in methods if method["id"] != "reauthenticate"]
        if factors or not user.is_authenticated:
            return factors
        url = reverse("account_reauthenticate")
        return [{"id": "code", "description": "Use a mailed code", "url": url}]

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Keep the sign-up form shut: signing in by code is how people come to be."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Count limits by the same address as the API does."""
        return client_ip(request)

    def format_email_subject(self, subject: str) -> str:
        """Leave subjects as they are written."""
        return subject

    def render_mail(
        self,
        template_prefix: str,
        email: str,
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """Send allauth's words in our letter, as text and HTML."""
        words = super().render_mail(template_prefix, email, context, headers)
        paragraphs = [" ".join(part.split()) for part in str(words.body).split("\n\n")]
        letter = sending.MailMessage(
            subject=words.subject,
            paragraphs=[part for part in paragraphs if part],
            code=str(context.get("code", "")),
        )
        return sending.build_message(letter, to=email, headers=headers)
