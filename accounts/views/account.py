"""One's own account: how to sign in, and the other way in that staff have."""

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
from django.views.decorators.http import require_GET

from accounts import sponsors
from accounts.request_user import request_user
from accounts.sign_in import first_admin
from accounts.sign_in.adapter import PasswordSignInForm
from accounts.sign_in.reauthentication import MailedCode


class PasswordSignIn(LoginView):  # type: ignore[misc]
    """Sign in by password and then a second factor; for accounts that have a password."""

    template_name = "account/password.html"

    def get_form_class(self) -> type[Any]:
        """Ask for the password, which the usual form does not."""
        return PasswordSignInForm

    def form_valid(self, form: Any) -> HttpResponse:
        """Sign in, or go on to the second factor; either way the password is used up."""
        response: HttpResponse = super().form_valid(form)
        first_admin.invalidate_password(self.request, form.user)
        return response


@method_decorator([never_cache, login_required], name="dispatch")
class Reauthenticate(BaseReauthenticateView):  # type: ignore[misc]
    """Sign in again by a mailed code; whoever has a factor is sent on to use that."""

    form_class = ConfirmLoginCodeForm
    template_name = "account/reauthenticate.html"

    waiting: MailedCode | None

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Find the code that was mailed before, if it is still good."""
        super().setup(request, *args, **kwargs)
        self.waiting = MailedCode.resume(request)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Mail a code, or take the one that was typed."""
        if self.waiting and request.POST.get("action") != "send":
            response: HttpResponse = super().post(request, *args, **kwargs)
            return response
        return self._again(is_limited=not MailedCode.initiate(request, request_user(request)))

    def get_form_kwargs(self) -> dict[str, Any]:
        """Add the code that is expected."""
        kwargs: dict[str, Any] = super().get_form_kwargs()
        return kwargs | {"code": self.waiting.code if self.waiting else ""}

    def form_valid(self, form: Any) -> HttpResponse:
        """Go on with what asked for the code."""
        assert self.waiting
        self.waiting.finish()
        response: HttpResponse = super().form_valid(form)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        """Count the attempt; after the last one the code is void."""
        assert self.waiting
        if not self.waiting.record_invalid_attempt():
            return self._again(is_limited=True)
        response: HttpResponse = super().form_invalid(form)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add where the code goes, and whether one is under way."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {
            "email": request_user(self.request).email,
            "is_mailed": self.waiting is not None,
        }

    def _again(self, *, is_limited: bool) -> HttpResponse:
        if is_limited:
            adapter = get_adapter()
            text = adapter.error_messages["too_many_login_attempts"]
            adapter.add_message(self.request, messages.ERROR, message=text)
        return HttpResponseRedirect(self.passthrough_next_url(self.request.path))


@login_required
@require_GET
def my_account(request: HttpRequest) -> HttpResponse:
    """Show who is signed in, how, and what waits for them."""
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
