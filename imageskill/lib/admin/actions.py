"""Deeds: what staff do to one thing. Each asks for a reason and shows beforehand what follows.

A deed is data; the rule it carries out is a verb of the app, the same that API and tasks call.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextareaWidget

_KEY_TTL_S = 24 * 3600
# What being used writes, every few minutes: no reason to ask anybody to read again.
_IGNORED_FIELDS = {"last_seen_at", "last_used_at", "last_login", "leased_until"}


class ActionRefused(Exception):
    """The deed can't be done; the text says why and what to do, for a person to read."""


class ActionForm(forms.Form):
    """What every deed asks; deeds that need more add fields to it."""

    reason = forms.CharField(
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Why. Kept in the audit for good.",
    )


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """A deed as it was asked for: by whom, why, and once (`key` is the same when sent twice)."""

    user: Any
    reason: str
    key: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RevealedSecret:
    """What a deed gives to look at for a while, and nowhere else."""

    text: str
    seconds: int


@dataclass(frozen=True, slots=True)
class StaffAction:
    """One action by staff on one object.

    `preview` tells in sentences what will happen; `perform` calls one verb, may raise
    `Refused`, and gives the sentence that says it is done, or a `Secret` to show.
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
    initial_values: Callable[[Any], dict[str, Any]] | None = None  # initial values from the object
    extra_state: Callable[[Any], Any] | None = None  # what else it rests on, outside of the row
    dry_run: str | tuple[str, ...] = ()  # the permission to read the preview, and no more


def is_allowed(action: StaffAction, request: HttpRequest) -> bool:
    """Return whether the person may do the deed at all."""
    return _has_any(request, action.permission)


def can_preview(action: StaffAction, request: HttpRequest) -> bool:
    """Return whether the person may read what the deed would do, whoever may do it."""
    return is_allowed(action, request) or _has_any(request, action.dry_run)


def label_dry_run(action: StaffAction, request: HttpRequest) -> StaffAction:
    """Return the deed with a label that says so where this person may only look."""
    return (
        action
        if is_allowed(action, request)
        else replace(action, label=f"{action.label} (dry run)")
    )


def find(deeds: Sequence[StaffAction], name: str, request: HttpRequest) -> StaffAction:
    """Find a deed by name; `PermissionDenied` where this person may not even look at it.

    Whatever is sent is refused to who may only look.
    """
    suffices = can_preview if request.method in {"GET", "HEAD"} else is_allowed
    for action in deeds:
        if action.name == name and suffices(action, request):
            return action
    raise PermissionDenied


def fingerprint(thing: Model, action: StaffAction | None = None) -> str:
    """Return a mark of the present state, by which a page knows that it has moved on.

    The state is the row, without what its mere use touches, and what the deed adds to it.
    """
    values = {
        field.attname: str(getattr(thing, field.attname))
        for field in thing._meta.fields
        if field.attname not in _IGNORED_FIELDS
    }
    standing = action.extra_state(thing) if action and action.extra_state else None
    text = json.dumps([values, standing], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def consume_key(key: str) -> bool:
    """Use a form's key up; False when it was used before (the form was sent twice)."""
    return bool(key) and cache.add(f"deed:{key}", 1, timeout=_KEY_TTL_S)


def release_key(key: str) -> None:
    """Let a form be sent again after its deed was refused."""
    cache.delete(f"deed:{key}")


def new_key() -> str:
    """Make the key that a form carries, so that sending it twice does the deed once."""
    return secrets.token_hex(16)


def _has_any(request: HttpRequest, permission: str | tuple[str, ...]) -> bool:
    wanted = (permission,) if isinstance(permission, str) else permission
    return request.user.is_active and any(map(request.user.has_perm, wanted))
