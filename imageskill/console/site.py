"""The console's site: who may enter, and the pages that belong to no single model."""

from functools import wraps
from importlib import import_module
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.generic import RedirectView
from unfold.sites import UnfoldAdminSite

from imageskill.lib.admin import second_factor

# The theme evaluates expressions in its markup and sets styles from script; nothing else may.
_CSP = {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
}


class ConsoleSite(UnfoldAdminSite):
    """The admin site for staff who gave a second factor in this session."""

    site_header = "Image Skill"
    site_title = "Image Skill console"
    index_title = "Home"
    export_permission = "accounts.export"

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Serve every page of the console under its own content security policy."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def with_policy(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response: HttpResponse = inner(request, *args, **kwargs)
            response._csp_update = _CSP  # type: ignore[attr-defined]  # noqa: SLF001
            return response

        return with_policy

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Add the pages that belong to no single model, and redirects from their old addresses."""
        # Loaded here because the site is made before models can be.
        pages = import_module("imageskill.console.pages")
        routes = (*pages.PAGES, *pages.ACTIONS)
        mine = [path(route, self.admin_view(view), name=name) for route, view, name in routes]
        moved = [path(route, self.admin_view(_redirect_to(name))) for route, name in pages.MOVED]
        return [*mine, *moved, *super().get_urls()]

    def record_export(self, **download: Any) -> None:
        """Record who downloads which list; the keywords are `exporting.record_download`'s."""
        import_module("imageskill.console.exporting").record_download(**download)

    def list_context(self, request: HttpRequest, model: str) -> dict[str, Any]:
        """Return what each list shows beside its rows: the filters that its viewer saved."""
        return import_module("imageskill.console.saved_filters").list_context(request, model)

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether the user is active staff and has given a second factor lately."""
        return _is_staff(request) and second_factor.is_verified(request)

    def login(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Redirect to the site's sign-in; staff without a second factor are sent to set one up."""
        target = _own_address(request, request.GET.get("next", ""))
        if request.user.is_authenticated and not _is_staff(request):
            raise PermissionDenied
        if not request.user.is_authenticated:
            return redirect_to_login(target, login_url=reverse("account_login"))
        if not is_mfa_enabled(request.user):
            return HttpResponseRedirect(reverse("mfa_index"))
        if not second_factor.is_verified(request):
            return redirect_to_login(target, login_url=reverse("mfa_reauthenticate"))
        return HttpResponseRedirect(target)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Answer 404: nobody has a password, and a stale session must not set one."""
        raise Http404

    password_change_done = password_change


def _own_address(request: HttpRequest, target: str) -> str:
    """Return where to go on, if it is a page of ours; otherwise Home."""
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_ours else reverse("admin:index")


def _redirect_to(name: str) -> Any:
    return RedirectView.as_view(pattern_name=f"admin:{name}", query_string=True, permanent=True)


def _is_staff(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_staff)
