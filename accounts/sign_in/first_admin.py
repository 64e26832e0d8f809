"""The first superuser of an installation and their one-time password."""

import secrets

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest

from accounts.models import User


def exists() -> bool:
    """Return whether anybody was made a superuser before, invited or not."""
    return User.objects.filter(is_superuser=True, is_active=True).exists()


def invite(*, address: str) -> str | None:
    """Make the user with this email a superuser; return a new one-time password.

    Returns None once any superuser has a second factor: then there is a safer way to sign in.
    """
    if Authenticator.objects.filter(user__is_superuser=True, user__is_active=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    with transaction.atomic():
        user, _ = User.objects.get_or_create(email=address.lower())
        user.is_staff = user.is_superuser = True
        user.set_password(password)
        user.save(update_fields=["is_staff", "is_superuser", "password"])
        EmailAddress.objects.update_or_create(
            user=user, email=user.email, defaults={"verified": True, "primary": True}
        )
    return password


def invalidate_password(request: HttpRequest, user: User) -> None:
    """Invalidate the password that was just used; the session that it started stays."""
    if not user.has_usable_password():
        return
    user.set_unusable_password()
    user.save(update_fields=["password"])
    update_session_auth_hash(request, user)
