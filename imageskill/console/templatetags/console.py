"""How the console's own templates show ids, moments and amounts: as its lists do."""

from django import template

from imageskill.lib import amounts
from imageskill.lib.admin import formatting

register = template.Library()

register.filter("copyable", formatting.copyable)
register.filter("moment", formatting.display_datetime)
register.filter("span", formatting.display_duration)


@register.filter
def money(cents: int | None, currency: str = "USD") -> str:
    """Show whole cents with their currency."""
    return "–" if cents is None else amounts.format_amount(cents, currency.upper())


@register.filter
def number(value: int) -> str:
    """Show a whole number with its thousands apart."""
    return f"{value:,}"


@register.filter
def percent(share: float) -> str:
    """Show a share in percent."""
    return f"{share:.1%}"
