"""Deeds that are done to no single row: they are offered on the list, and end there."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from imageskill.lib.admin import actions, second_factor
from imageskill.lib.admin.actions import ActionRequest, StaffAction
from imageskill.lib.admin.bases import ReadOnlyAdmin


class PageActionsAdmin(ReadOnlyAdmin):
    """A list with buttons above it. Their deeds are asked and done about `None`."""

    page_deeds: ClassVar[Sequence[StaffAction]] = ()

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the list's deeds."""
        view = self.admin_site.admin_view(self.page_action_view)
        return [
            path("do/<slug:name>/", view, name=self._url_name("page_deed")),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list with the deeds that this person may do."""
        offered = [
            (action, reverse(f"admin:{self._url_name('page_deed')}", args=[action.name]))
            for action in self.page_deeds
            if actions.is_allowed(action, request) and action.is_open(None)
        ]
        return super().changelist_view(request, {**(extra_context or {}), "page_deeds": offered})

    def page_action_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask for a reason, show what will happen, do it."""
        action = actions.find(self.page_deeds, name, request)
        if not self.has_view_permission(request):
            raise PermissionDenied
        if action.is_sensitive:
            second_factor.require_recent(request)
        form = action.form(request.POST or None)
        if form.is_valid():
            self._perform(request, action, form.cleaned_data)
            return HttpResponseRedirect(self._list_url())
        return TemplateResponse(
            request, "admin/action.html", self._form_context(request, action, form)
        )

    def _perform(self, request: HttpRequest, action: StaffAction, fields: dict[str, Any]) -> None:
        action_request = ActionRequest(
            request.user, fields.pop("reason"), request.POST.get("key", ""), fields
        )
        if not actions.consume_key(action_request.key):
            messages.info(request, "That was sent before; it is done once.")
            return
        try:
            messages.success(request, str(action.perform(None, action_request)))
        except actions.ActionRefused as refusal:
            actions.release_key(action_request.key)
            messages.error(request, str(refusal))

    def _form_context(self, request: HttpRequest, action: StaffAction, form: Any) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": action.label,
            "opts": self.model._meta,
            "deed": action,
            "form": form,
            "sentences": action.preview(None),
            "key": request.POST.get("key") or actions.new_key(),
            "back": self._list_url(),
        }

    def _list_url(self) -> str:
        return reverse(f"admin:{self._url_name('changelist')}")

    def _url_name(self, what: str) -> str:
        opts = self.model._meta
        return f"{opts.app_label}_{opts.model_name}_{what}"
