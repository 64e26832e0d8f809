"""How pages write amounts, moments and states; arithmetic and words only, no queries."""

from datetime import UTC, datetime
from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import suspension
from accounts.models import Agent
from imageskill.lib import clock

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
def credits(amount: int | None) -> str:
    """Write an amount of credits: `1,240 credits`, `1 credit`."""
    if amount is None:
        return "–"
    return f"{amount:,} credit{'' if abs(amount) == 1 else 's'}".replace("-", "\N{MINUS SIGN}")


@register.filter
def signed(amount: int) -> str:
    """Write a change with its sign: `+500`, `−12`."""
    return f"{amount:+,}".replace("-", "\N{MINUS SIGN}")


@register.filter
def cents(amount: int | None, currency: str = "USD") -> str:
    """Write whole cents as money with its currency: `$5.00`, `5.00 EUR`."""
    if amount is None:
        return "–"
    value = f"{Decimal(amount) / 100:,.2f}"
    return f"${value}" if currency.upper() == "USD" else f"{value} {currency.upper()}"


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """Write a moment: UTC as sent, the viewer's own clock once JavaScript runs, UTC on hover."""
    if at is None:
        return "never"
    utc = f"{at.astimezone(UTC):%-d %b %Y, %H:%M} UTC"
    return format_html(
        '<time datetime="{}" title="{}" data-clock>{}</time>', clock.iso(at), utc, utc
    )


@register.filter
def status_color(state: str) -> str:
    """Return the color class of a state; unknown ones stay neutral."""
    return _STATUS_COLORS.get(str(state).lower(), "")


@register.filter
def humanize_state(state: str) -> str:
    """Write a state's public name for people: `payment_backed_unclaimed` has spaces here."""
    return str(state).replace("_", " ")


@register.filter
def suspension_message(agent: Agent) -> str:
    """Return why an agent is stopped."""
    return suspension.suspension_message(agent)


@register.filter
def percent_of(part: int, whole: int) -> int:
    """Return the percentage that is used, between 0 and 100; nothing of nothing is all of it."""
    return 100 if whole <= 0 else min(100, part * 100 // whole)


@register.filter
def meter_color(part: int, whole: int) -> str:
    """Return the color of a meter: calm below 80 %, a warning until the cap, then stopped."""
    used = percent_of(part, whole)
    return "bad" if used >= 100 else "warn" if used >= 80 else ""
