"""Bases of the console's admin classes."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin
from unfold.decorators import display

from imageskill.lib.admin import actions as deeds
from imageskill.lib.admin import exact_search, formatting, second_factor
from imageskill.lib.admin.actions import ActionRequest, RevealedSecret, StaffAction
from imageskill.lib.admin.exports import ExportMixin
from imageskill.lib.admin.keyset import KeysetChangeList

_COPYABLE = "{}_copied"


class ConsoleAdmin(ExportMixin, ModelAdmin):
    """A model in the console: paged by key, with deeds instead of free editing."""

    view_permission: ClassVar[str]  # the permission that shows this model; nothing else does
    empty_text: ClassVar[str] = ""  # what would be in the list, and how it gets there
    copyable_fields: ClassVar[
        Sequence[str]
    ] = ()  # fields that hold ids: shown with a button that copies
    deeds: ClassVar[Sequence[StaffAction]] = ()
    list_per_page = 50
    show_full_result_count = False
    sortable_by: ClassVar[Sequence[str]] = ()
    list_filter_submit = False
    list_fullwidth = True
    actions = None
    view_on_site = False
    list_before_template = "admin/list_before.html"

    def __init__(self, model: type[Model], admin_site: Any) -> None:
        super().__init__(model, admin_site)
        for name in self.copyable_fields:
            setattr(self, _COPYABLE.format(name), _copyable_column(model, name))

    def get_list_display(self, request: HttpRequest) -> Sequence[str]:
        """Show ids with their buttons."""
        return [self._shown_as(name) for name in super().get_list_display(request)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Count the ids with buttons among what is only shown."""
        return [
            *super().get_readonly_fields(request, obj),
            *map(self._shown_as, self.copyable_fields),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show ids with their buttons."""
        return [
            (title, {**options, "fields": [self._shown_as(name) for name in options["fields"]]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def _shown_as(self, name: Any) -> Any:
        return _COPYABLE.format(name) if name in self.copyable_fields else name

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show to whoever has the duty."""
        return request.user.has_perm(self.view_permission)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """List where it can be seen."""
        return self.has_view_permission(request)

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[KeysetChangeList]:
        """Page by key."""
        return KeysetChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look a pasted text up in each search field, each by its index."""
        text = search_term.strip()
        if not text or not self.search_fields:
            return queryset, False
        return exact_search.search(queryset, self.search_fields, text), False

    def get_urls(self) -> list[URLPattern]:
        """Add the address of this model's deeds."""
        opts = self.model._meta
        return [
            path(
                "<path:object_id>/do/<slug:name>/",
                self.admin_site.admin_view(self.action_view),
                name=f"{opts.app_label}_{opts.model_name}_deed",
            ),
            *self.export_urls(),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list with the way to download exactly it."""
        opts = self.model._meta
        name = f"{opts.app_label}.{opts.model_name}"
        links: dict[str, Any] = {
            "filters_model": name,
            "filters_in_use": self._filters_in_use(request),
            "saved_filters": cast("Any", request.user).saved_filters.filter(model=name),
        }
        if request.user.has_perm(self.export_permission):
            export = f"admin:{opts.app_label}_{opts.model_name}_export"
            query = request.GET.urlencode()
            for kind in ("csv", "xlsx"):
                links[f"export_{kind}_url"] = f"{reverse(f'{export}_{kind}')}?{query}"
        return super().changelist_view(request, {**links, **(extra_context or {})})

    @staticmethod
    def _filters_in_use(request: HttpRequest) -> str:
        """Return the list's filters as they stand in the address, without the page one is on."""
        filters = request.GET.copy()
        for place in ("after", "before", "count", "e"):
            filters.pop(place, None)
        return filters.urlencode()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the object with the deeds that this person may do to it now."""
        thing = self.get_object(request, unquote(object_id))
        open_actions = [
            (deeds.label_dry_run(action, request), self._action_url(thing, action))
            for action in self.deeds
            if thing is not None and deeds.can_preview(action, request) and action.is_open(thing)
        ]
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "deeds": open_actions}
        )

    def action_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Ask for a reason, show what will happen, do it."""
        action = deeds.find(self.deeds, name, request)
        thing = self.get_object(request, unquote(object_id))
        if thing is None:
            raise Http404
        if not self.has_view_permission(request, thing):
            raise PermissionDenied
        if action.is_sensitive:
            second_factor.require_recent(request)
        if request.method == "POST":
            form = action.form(request.POST)
            if "look" in request.POST:
                form.fields["reason"].required = False
                return self._ask(request, action, thing, form, looking=form.is_valid())
            if form.is_valid() and (done := self._do(request, action, thing, form.cleaned_data)):
                return done
        else:
            form = action.form(
                initial=action.initial_values(thing) if action.initial_values else None
            )
        return self._ask(request, action, thing, form)

    def _do(
        self, request: HttpRequest, action: StaffAction, thing: Model, fields: dict[str, Any]
    ) -> HttpResponse | None:
        if not action.is_open(thing):
            messages.error(request, f"“{action.label}” is no longer possible here.")
            return HttpResponseRedirect(self._object_url(thing))
        if request.POST.get("seen") != deeds.fingerprint(thing, action):
            messages.warning(request, "This has changed meanwhile. Read again before you go on.")
            return None
        reason = fields.pop("reason", "")
        action_request = ActionRequest(request.user, reason, request.POST.get("key", ""), fields)
        if not deeds.consume_key(action_request.key):
            messages.info(request, "That was sent before; it is done once.")
            return HttpResponseRedirect(self._object_url(thing))
        try:
            done = action.perform(thing, action_request)
        except deeds.ActionRefused as refusal:
            deeds.release_key(action_request.key)
            messages.error(request, str(refusal))
            return None
        if isinstance(done, RevealedSecret):
            return self._show(request, action, thing, done)
        messages.success(request, done)
        return HttpResponseRedirect(self._object_url(thing))

    def _show(
        self, request: HttpRequest, action: StaffAction, thing: Model, secret: RevealedSecret
    ) -> HttpResponse:
        back = self._object_url(thing)
        context = {
            **self.admin_site.each_context(request),
            "title": action.label,
            "opts": self.model._meta,
            "original": thing,
            "secret": secret,
            "back": back,
        }
        response = TemplateResponse(request, "admin/secret.html", context)
        response["Refresh"] = f"{secret.seconds}; url={back}"
        response["Cache-Control"] = "no-store"
        return response

    def _ask(
        self,
        request: HttpRequest,
        action: StaffAction,
        thing: Model,
        form: Any,
        *,
        looking: bool = False,
    ) -> HttpResponse:
        sentences = (
            action.preview_fields(thing, form.cleaned_data)
            if looking and action.preview_fields
            else action.preview(thing)
        )
        context = {
            **self.admin_site.each_context(request),
            "title": action.label,
            "opts": self.model._meta,
            "original": thing,
            "deed": action,
            "can_look": action.preview_fields is not None,  # a template would call the function
            "form": form,
            "sentences": sentences,
            "seen": deeds.fingerprint(thing, action),
            "only_looks": not deeds.is_allowed(action, request),
            "key": request.POST.get("key") or deeds.new_key(),
            "back": self._object_url(thing),
        }
        return TemplateResponse(request, "admin/action.html", context)

    def _action_url(self, thing: Model, action: StaffAction) -> str:
        opts = self.model._meta
        name = f"admin:{opts.app_label}_{opts.model_name}_deed"
        return reverse(name, args=[thing.pk, action.name])

    def _object_url(self, thing: Model) -> str:
        opts = self.model._meta
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[thing.pk])


class ReadOnlyAdmin(ConsoleAdmin):
    """A model that staff may look at, and change by its deeds alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes by hand."""
        return False


def _copyable_column(model: type[Model], name: str) -> Any:
    """Make a column that shows a field's id, or its ids, with a button that copies."""
    field: Any = model._meta.get_field(name)

    @display(description=field.verbose_name)
    def shown_with_button(thing: Model) -> str:
        value = getattr(thing, name)
        if isinstance(value, list):
            return formatting.copyable_list(value)
        return formatting.copyable(str(value or ""))

    return shown_with_button
