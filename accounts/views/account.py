"""One's own account: how to sign in, and the other way in that staff have."""

from typing import Any

from allauth.account.views import LoginView
from allauth.mfa.models import Authenticator
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts import first_admin, sponsors
from accounts.sign_in import PasswordSignInForm
from accounts.visitors import me


class PasswordSignIn(LoginView):  # type: ignore[misc]
    """Sign in by password and then a second factor; for accounts that have a password."""

    template_name = "account/password.html"

    def get_form_class(self) -> type[Any]:
        """Ask for the password, which the usual form does not."""
        return PasswordSignInForm

    def form_valid(self, form: Any) -> HttpResponse:
        """Sign in; the password is of no more use then."""
        response: HttpResponse = super().form_valid(form)
        if self.request.user.is_authenticated:
            first_admin.use_up(self.request, me(self.request))
        return response


@login_required
@require_GET
def my_account(request: HttpRequest) -> HttpResponse:
    """Show who is signed in, how, and what waits for them."""
    user = me(request)
    return render(
        request,
        "accounts/account.html",
        {
            "section": "account",
            "addresses": sponsors.addresses_of(user),
            "factors": Authenticator.objects.filter(user=user).count(),
        },
    )
