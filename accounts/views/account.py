"""The user's own account: sign-in by password, reauthentication, overview."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ConfirmLoginCodeForm
from allauth.account.views import BaseReauthenticateView, LoginView
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import sponsors
from accounts.request_user import request_user
from accounts.sign_in import first_admin
from accounts.sign_in.adapter import PasswordSignInForm
from accounts.sign_in.reauthentication import MailedCode


class PasswordSignIn(LoginView):  # type: ignore[misc]
    """Sign in with a one-time password and then a second factor, for staff."""

    template_name = "account/password.html"

    def get_form_class(self) -> type[Any]:
        """Return the form that also asks for the password."""
        return PasswordSignInForm

    def form_valid(self, form: Any) -> HttpResponse:
        """Sign in or continue to the second factor; either way the password stops working."""
        response: HttpResponse = super().form_valid(form)
        first_admin.invalidate_password(self.request, form.user)
        return response


@method_decorator([never_cache, login_required], name="dispatch")
class Reauthenticate(BaseReauthenticateView):  # type: ignore[misc]
    """Sign in again with an emailed code; users with a second factor are redirected to it."""

    form_class = ConfirmLoginCodeForm
    template_name = "account/reauthenticate.html"

    pending: MailedCode | None

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Load the pending code, if it is still valid."""
        super().setup(request, *args, **kwargs)
        self.pending = MailedCode.resume(request)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Send a code, or check the one that was entered."""
        if self.pending and request.POST.get("action") != "send":
            response: HttpResponse = super().post(request, *args, **kwargs)
            return response
        return self._redirect_to_form(
            is_limited=not MailedCode.initiate(request, request_user(request))
        )

    def get_form_kwargs(self) -> dict[str, Any]:
        """Add the expected code."""
        kwargs: dict[str, Any] = super().get_form_kwargs()
        return kwargs | {"code": self.pending.code if self.pending else ""}

    def form_valid(self, form: Any) -> HttpResponse:
        """Record the reauthentication and continue."""
        assert self.pending
        self.pending.finish()
        response: HttpResponse = super().form_valid(form)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        """Count the attempt; after the last one the code is invalid."""
        assert self.pending
        if not self.pending.record_invalid_attempt():
            return self._redirect_to_form(is_limited=True)
        response: HttpResponse = super().form_invalid(form)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the email and whether a code was sent."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {
            "email": request_user(self.request).email,
            "is_mailed": self.pending is not None,
        }

    def _redirect_to_form(self, *, is_limited: bool) -> HttpResponse:
        if is_limited:
            adapter = get_adapter()
            text = adapter.error_messages["too_many_login_attempts"]
            adapter.add_message(self.request, messages.ERROR, message=text)
        return HttpResponseRedirect(self.passthrough_next_url(self.request.path))


@login_required
@require_safe
def my_account(request: HttpRequest) -> HttpResponse:
    """Show the user's emails and number of second factors."""
    user = request_user(request)
    return render(
        request,
        "accounts/account.html",
        {
            "section": "account",
            "addresses": sponsors.confirmed_addresses(user),
            "factors": Authenticator.objects.filter(user=user).count(),
        },
    )
