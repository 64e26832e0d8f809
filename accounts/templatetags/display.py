"""Filters that format amounts, times and states. They run no queries."""

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import suspension
from accounts.models import Agent
from imageskill.lib import amounts, clock

register = template.Library()

_STATUS_COLORS = {
    "claimed": "good",
    "completed": "good",
    "paid": "good",
    "succeeded": "good",
    "success": "good",
    "active": "good",
    "payment_backed_unclaimed": "warn",
    "processing": "warn",
    "action_required": "warn",
    "requested": "warn",
    "disputed": "warn",
    "suspended": "warn",
    "warning": "warn",
    "failed": "bad",
    "refused": "bad",
    "revoked": "bad",
    "error": "bad",
}


@register.filter
def number(value: int | str | None) -> str:
    """Format a number with thousands separators; None is a dash."""
    return "–" if value is None else f"{int(value):,}".replace("-", "\N{MINUS SIGN}")


@register.filter
def credits(amount: int | None) -> str:
    """Format an amount of credits: `1,240 credits`, `1 credit`."""
    if amount is None:
        return "–"
    return f"{amount:,} credit{'' if abs(amount) == 1 else 's'}".replace("-", "\N{MINUS SIGN}")


@register.filter
def signed(amount: int) -> str:
    """Format a change with its sign: `+500`, `−12`."""
    return f"{amount:+,}".replace("-", "\N{MINUS SIGN}")


@register.filter
def cents(amount: int | None, currency: str = "USD") -> str:
    """Format whole cents with their currency: `$5.00`, `5.00 EUR`."""
    return "–" if amount is None else amounts.format_amount(amount, currency, with_symbol=True)


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """Format a time in UTC; JavaScript shows it in the viewer's time zone, with UTC on hover."""
    if at is None:
        return "never"
    utc = f"{at.astimezone(UTC):%b %-d, %Y, %-I:%M %p} UTC"
    return format_html(
        '<time datetime="{}" title="{}" data-clock>{}</time>', clock.iso(at), utc, utc
    )


@register.filter
def status_color(state: str) -> str:
    """Return the CSS class of a state; an unknown state has none."""
    return _STATUS_COLORS.get(str(state).lower(), "")


@register.filter
def humanize_state(state: str) -> str:
    """Format a state for people: `payment_backed_unclaimed` becomes `payment backed unclaimed`."""
    return str(state).replace("_", " ")


@register.filter
def suspension_label(agent: Agent) -> str:
    """Return the status of a suspended agent: Paused by its sponsor, or Suspended by staff."""
    return suspension.label(agent)


@register.filter
def suspension_message(agent: Agent) -> str:
    """Return who suspended an agent and who can lift that."""
    return suspension.suspension_message(agent)


@register.filter
def percent_of(part: int, whole: int) -> int:
    """Return the share that is used, from 0 to 100 percent; 0 of 0 is 100 percent."""
    return 100 if whole <= 0 else min(100, part * 100 // whole)


@register.filter
def meter_color(part: int, whole: int) -> str:
    """Return the CSS class of a meter: a warning from 80 percent, an error at the limit."""
    used = percent_of(part, whole)
    return "bad" if used >= 100 else "warn" if used >= 80 else ""
