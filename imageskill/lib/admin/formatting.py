"""How ids, moments and amounts look in the console. Everything else goes through autoescape."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from imageskill.lib import clock
from imageskill.lib.amounts import format_amount

_ID_FIELDS = ("public_id", "event_id", "stripe_id", "reference")


def copyable(text: str) -> SafeString | str:
    """Show an id with a button that copies it."""
    if not text:
        return "–"
    shown = format_html("<code>{}</code>", text)
    return format_html('<span class="copyable">{}{}</span>', shown, _copy_button(text))


def copyable_list(texts: Sequence[str]) -> SafeString | str:
    """Show several ids, each with its button."""
    return format_html_join(" ", "{}", ((copyable(text),) for text in texts)) or "–"


def copyable_link(thing: Model | None) -> SafeString | str:
    """Link to an object's own page by its id, with a button that copies the id."""
    if thing is None:
        return "–"
    names = (getattr(thing, name, "") for name in _ID_FIELDS)
    button = _copy_button(next(filter(None, names), str(thing)))
    return format_html('<span class="copyable">{}{}</span>', object_link(thing), button)


def _copy_button(text: str) -> SafeString:
    return format_html(
        '<button type="button" data-copy="{}" aria-label="Copy {}">'
        '<span class="material-symbols-outlined" aria-hidden="true">content_copy</span></button>',
        text,
        text,
    )


def display_datetime(at: datetime | None) -> SafeString | str:
    """Show a moment in the viewer's zone by script, in UTC on hover and without one."""
    if at is None:
        return "–"
    text = clock.iso(at)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>', text, text, f"{at:%Y-%m-%d %H:%M:%S} UTC"
    )


def display_duration(seconds: float | None) -> str:
    """Show how long something took or has waited, by its two largest units."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    left = round(seconds)
    parts: list[str] = []
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        number, left = divmod(left, length)
        if number or parts:
            parts.append(f"{number} {unit}" if number else "")
    return " ".join(filter(None, parts[:2]))


def display_amount(cents: int | None, currency: str = "USD") -> str:
    """Show whole cents with their currency."""
    return "–" if cents is None else format_amount(cents, currency.upper())


def format_count(number: int, noun: str) -> str:
    """Write a number with what it counts: `1 credit`, `1,250 credits`."""
    return f"{number:,} {noun}{'' if abs(number) == 1 else 's'}"


def object_link(thing: Model | None, text: str | None = None) -> SafeString | str:
    """Link to an object's own page in the console."""
    if thing is None:
        return "–"
    opts = thing._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[thing.pk])
    return format_html('<a href="{}">{}</a>', url, text or str(thing))


def list_link(model: type[Model], label: str, **filters: Any) -> SafeString:
    """Link to a list of the console, filtered."""
    opts = model._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist", query=filters)
    return format_html('<a href="{}">{}</a>', url, label)
