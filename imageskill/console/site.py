"""The console's site: who gets in, and by which door."""

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

from imageskill.lib.admin import second_factor


class ConsoleSite(UnfoldAdminSite):
    """Staff only, and only with a second factor given in this session."""

    site_header = "Image Skill"
    site_title = "Image Skill console"

    def has_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person is active staff and showed a second factor."""
        return _is_staff(request) and second_factor.was_given(request)

    def login(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Send to the one sign-in page of this site; staff without a second factor set one up."""
        target = request.GET.get("next") or reverse("admin:index")
        if request.user.is_authenticated and not _is_staff(request):
            raise PermissionDenied
        if not request.user.is_authenticated:
            return redirect_to_login(target, login_url=reverse("account_login"))
        if not is_mfa_enabled(request.user):
            return HttpResponseRedirect(reverse("mfa_index"))
        if not second_factor.was_given(request):
            return redirect_to_login(target, login_url=reverse("mfa_reauthenticate"))
        return HttpResponseRedirect(target)


def _is_staff(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_staff)
