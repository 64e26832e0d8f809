"""How the console's own templates show ids, moments and amounts: as its lists do."""

from django import template

from imageskill.lib.admin import shown

register = template.Library()

register.filter("copyable", shown.copyable)
register.filter("moment", shown.moment)
register.filter("span", shown.span)
register.filter("money", shown.dollars)


@register.filter
def number(value: int) -> str:
    """Show a whole number with its thousands apart."""
    return f"{value:,}"
