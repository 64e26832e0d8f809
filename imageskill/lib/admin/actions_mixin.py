"""The pages of actions: a form that shows what will happen, asks for a reason, then does it."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from imageskill.lib.admin import actions, second_factor
from imageskill.lib.admin.actions import ActionRequest, RevealedSecret, StaffAction


class ActionsMixin:
    """Adds actions to an admin class: of an object, on its page, and of no single one, on the list.

    Both go the same way: a second factor where the action is sensitive, a preview, the check that
    what was shown is still so, and at most one run of each form. An action of the list is
    previewed and performed with `None` in place of an object.
    """

    object_actions: ClassVar[Sequence[StaffAction]] = ()
    list_actions: ClassVar[Sequence[StaffAction]] = ()
    model: type[Model]
    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of the actions."""
        view = self.admin_site.admin_view(self.action_view)
        of_list = path("do/<slug:name>/", view, name=self.url_name("list_action"))
        of_object = path("<path:object_id>/do/<slug:name>/", view, name=self.url_name("action"))
        return [
            *([of_list] if self.list_actions else []),
            of_object,
            *super().get_urls(),  # type: ignore[misc]
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list with the actions that this person may do or preview."""
        offered = self.offered_actions(request, None)
        return super().changelist_view(  # type: ignore[misc]
            request, {**(extra_context or {}), "list_actions": offered}
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the object with the actions that this person may do to it, or preview, now."""
        thing = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        offered = self.offered_actions(request, thing) if thing is not None else []
        return super().change_view(  # type: ignore[misc]
            request, object_id, form_url, {**(extra_context or {}), "object_actions": offered}
        )

    def offered_actions(
        self, request: HttpRequest, thing: Model | None
    ) -> list[tuple[StaffAction, str]]:
        """Return the open actions with their addresses; those of the list for `None`."""
        return [
            (actions.label_dry_run(action, request), self.action_url(thing, action))
            for action in self._actions_of(thing)
            if actions.can_preview(action, request)
            and action.is_open(thing)
            and action.is_for(thing, request.user)
        ]

    def action_view(
        self, request: HttpRequest, name: str, object_id: str | None = None
    ) -> HttpResponse:
        """Show what will happen and ask for a reason; do it where the form was sent."""
        of_list = object_id is None
        action = actions.find(self.list_actions if of_list else self.object_actions, name, request)
        thing = self._load(request, object_id)
        if not self.has_view_permission(request, thing):  # type: ignore[attr-defined]
            raise PermissionDenied
        if action.is_sensitive:
            second_factor.require_recent(request)
        if request.method != "POST":
            initial = action.initial_values(thing) if action.initial_values else None
            return self._ask(request, action, thing, action.form(initial=initial))
        form = action.form(request.POST)
        if "preview" in request.POST:
            form.fields["reason"].required = False
            return self._ask(request, action, thing, form, with_fields=form.is_valid())
        done = self._do(request, action, thing, form.cleaned_data) if form.is_valid() else None
        return done or self._ask(request, action, thing, form)

    def action_url(self, thing: Model | None, action: StaffAction) -> str:
        """Return the address of an action of this object, or of the list."""
        if thing is None:
            return reverse(f"admin:{self.url_name('list_action')}", args=[action.name])
        return reverse(f"admin:{self.url_name('action')}", args=[thing.pk, action.name])

    def url_name(self, page: str) -> str:
        """Return the name of one of this model's addresses, without the site's prefix."""
        opts = self.model._meta
        return f"{opts.app_label}_{opts.model_name}_{page}"

    def _actions_of(self, thing: Model | None) -> Sequence[StaffAction]:
        return self.list_actions if thing is None else self.object_actions

    def _load(self, request: HttpRequest, object_id: str | None) -> Any:
        if object_id is None:
            return None
        thing = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        if thing is None:
            raise Http404
        return thing

    def _do(
        self,
        request: HttpRequest,
        action: StaffAction,
        thing: Model | None,
        fields: dict[str, Any],
    ) -> HttpResponse | None:
        """Perform the action; None where its form has to be shown again."""
        back = HttpResponseRedirect(self._back_url(thing))
        if not action.is_open(thing):
            messages.error(request, f"“{action.label}” is no longer possible here.")
            return back
        if request.POST.get("seen") != actions.fingerprint(thing, action):
            messages.warning(request, actions.CHANGED_TEXT)
            return None
        if not actions.consume_key(request):
            return back
        reason = fields.pop("reason", "")
        action_request = ActionRequest(request.user, reason, request.POST["key"], fields)
        try:
            done = action.perform(thing, action_request)
        except actions.ActionRefused as refusal:
            actions.release_key(request)
            messages.error(request, str(refusal))
            return None
        if isinstance(done, RevealedSecret):
            return self._show(request, action, thing, done)
        messages.success(request, done)
        return back

    def _show(
        self,
        request: HttpRequest,
        action: StaffAction,
        thing: Model | None,
        secret: RevealedSecret,
    ) -> HttpResponse:
        context = {**self._page_context(request, action, thing), "secret": secret}
        response = TemplateResponse(request, "admin/secret.html", context)
        response["Refresh"] = f"{secret.seconds}; url={context['back']}"
        response["Cache-Control"] = "no-store"
        return response

    def _ask(
        self,
        request: HttpRequest,
        action: StaffAction,
        thing: Model | None,
        form: Any,
        *,
        with_fields: bool = False,
    ) -> HttpResponse:
        sentences = (
            action.preview_fields(thing, form.cleaned_data)
            if with_fields and action.preview_fields
            else action.preview(thing)
        )
        context = {
            **self._page_context(request, action, thing),
            "action": action,
            "can_preview": action.preview_fields is not None,  # a template would call the function
            "form": form,
            "sentences": [*sentences, *_limits(request, action, thing, form)],
            "seen": actions.fingerprint(thing, action),
            "is_dry_run": not actions.is_allowed(action, request),
            "key": actions.form_key(request),
        }
        return TemplateResponse(request, "admin/action.html", context)

    def _page_context(
        self, request: HttpRequest, action: StaffAction, thing: Model | None
    ) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": action.label,
            "opts": self.model._meta,
            "original": thing,
            "back": self._back_url(thing),
        }

    def _back_url(self, thing: Model | None) -> str:
        if thing is None:
            return reverse(f"admin:{self.url_name('changelist')}")
        return reverse(f"admin:{self.url_name('change')}", args=[thing.pk])


def _limits(
    request: HttpRequest, action: StaffAction, thing: Model | None, form: Any
) -> Sequence[str]:
    """Return the sentences about the person's own limits, for what the form holds so far."""
    if action.preview_limits is None:
        return ()
    return action.preview_limits(thing, request.user, getattr(form, "cleaned_data", form.initial))
