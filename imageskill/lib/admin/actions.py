"""Actions of staff: each shows beforehand what will happen, and asks for a reason.

An action is data; the rule it carries out is a function of the app, the same that API and tasks
call.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextareaWidget

_KEY_TTL_S = 24 * 3600
_KEY_PREFIX = "deed:"  # stored: forms that are open during a deploy go on
# What being used writes, every few minutes: no reason to ask anybody to read again.
_IGNORED_FIELDS = {"last_seen_at", "last_used_at", "last_login", "leased_until"}


CHANGED_TEXT = "This has changed since you opened it. Review the new details and confirm again."


class ActionRefused(Exception):
    """The action can't be done; the text says why and what to do, for a person to read."""


class ActionForm(forms.Form):
    """What every action asks; actions that need more add fields to it."""

    reason = forms.CharField(
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Required. Recorded permanently in the audit log.",
    )


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """An action as requested: by whom, why, and once (`key` is the same when sent twice)."""

    user: Any
    reason: str
    key: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RevealedSecret:
    """What an action shows for a while, and nowhere else."""

    text: str
    seconds: int


@dataclass(frozen=True, slots=True)
class StaffAction:
    """One action by staff on one object, or on none where a list offers it.

    `preview` returns sentences that say what will happen; `perform` calls one domain function, may
    raise `ActionRefused`, and returns the sentence that says it is done, or a `RevealedSecret`.
    """

    name: str
    label: str
    permission: str | tuple[str, ...]  # any of them will do
    preview: Callable[[Any], Sequence[str]]
    perform: Callable[[Any, ActionRequest], str | RevealedSecret]
    is_open: Callable[[Any], bool] = lambda _: True
    form: type[ActionForm] = ActionForm
    is_sensitive: bool = False  # asks for the second factor again after 15 minutes
    is_destructive: bool = False
    preview_fields: Callable[[Any, dict[str, Any]], Sequence[str]] | None = None  # for other fields
    # What binds the person who looks: the object, the person, the form's fields.
    preview_limits: Callable[[Any, Any, dict[str, Any]], Sequence[str]] | None = None
    is_for: Callable[[Any, Any], bool] = lambda _thing, _user: True  # offered to this person
    initial_values: Callable[[Any], dict[str, Any]] | None = None  # initial values from the object
    extra_state: Callable[[Any], Any] | None = None  # what else it depends on, outside of the row
    dry_run: str | tuple[str, ...] = ()  # the permission to read the preview, and no more


def translate_refusals(
    *kinds: type[Exception],
) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Return a decorator of `perform` that turns the domain's refusals into `ActionRefused`."""

    def wrap(perform: Callable[..., str]) -> Callable[..., str]:
        def careful(thing: Any, action: ActionRequest) -> str:
            try:
                return perform(thing, action)
            except kinds as refusal:
                raise ActionRefused(str(refusal)) from refusal

        return careful

    return wrap


def perform_with(
    function: Callable[..., Any], done: str, *, subject: str, refused: type[Exception]
) -> Callable[..., str]:
    """Return a `perform` that calls a domain function with its subject, the person and the reason.

    `subject` is the function's keyword for the object, `refused` the error by which it refuses.
    """

    @translate_refusals(refused)
    def perform(thing: Any, action: ActionRequest) -> str:
        function(**{subject: thing}, user=action.user, reason=action.reason)
        return done

    return perform


def is_allowed(action: StaffAction, request: HttpRequest) -> bool:
    """Return whether the person may do the action at all."""
    return _has_any(request, action.permission)


def can_preview(action: StaffAction, request: HttpRequest) -> bool:
    """Return whether the person may read what the action would do, whoever may do it."""
    return is_allowed(action, request) or _has_any(request, action.dry_run)


def label_dry_run(action: StaffAction, request: HttpRequest) -> StaffAction:
    """Return the action with a label that says so where this person may only preview it."""
    return (
        action
        if is_allowed(action, request)
        else replace(action, label=f"{action.label} (dry run)")
    )


def find(actions: Sequence[StaffAction], name: str, request: HttpRequest) -> StaffAction:
    """Find an action by name; `PermissionDenied` where this person may not even preview it.

    Whatever is sent is refused to who may only preview.
    """
    suffices = can_preview if request.method in {"GET", "HEAD"} else is_allowed
    for action in actions:
        if action.name == name and suffices(action, request):
            return action
    raise PermissionDenied


def fingerprint(thing: Model | None, action: StaffAction | None = None) -> str:
    """Return a mark of the present state, by which a page knows that it has moved on.

    The state is the row, without what its mere use touches, and what the action adds to it.
    """
    values = {
        field.attname: str(getattr(thing, field.attname))
        for field in (thing._meta.fields if thing is not None else ())
        if field.attname not in _IGNORED_FIELDS
    }
    extra_state = action.extra_state(thing) if action and action.extra_state else None
    text = json.dumps([values, extra_state], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def form_key(request: HttpRequest) -> str:
    """Return the key by which a form that is sent twice runs once; a new one for a new form."""
    return request.POST.get("key") or secrets.token_hex(16)


def consume_key(request: HttpRequest) -> bool:
    """Use up the key of the form that was sent; False, with a message, when it was used before."""
    key = request.POST.get("key", "")
    is_first = bool(key) and cache.add(f"{_KEY_PREFIX}{key}", 1, timeout=_KEY_TTL_S)
    if not is_first:
        messages.info(request, "Already submitted; it ran once.")
    return is_first


def release_key(request: HttpRequest) -> None:
    """Allow the form to be submitted again after its action was refused."""
    cache.delete(f"{_KEY_PREFIX}{request.POST.get('key', '')}")


def _has_any(request: HttpRequest, permission: str | tuple[str, ...]) -> bool:
    wanted = (permission,) if isinstance(permission, str) else permission
    return request.user.is_active and any(map(request.user.has_perm, wanted))
