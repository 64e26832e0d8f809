"""Template filters that format ids, times and amounts as the console's lists do."""

from django import template

from imageskill.lib.admin import formatting

register = template.Library()

register.filter("copyable", formatting.copyable)
register.filter("moment", formatting.display_datetime)
register.filter("span", formatting.display_duration)
register.filter("money", formatting.display_amount)


@register.filter
def words(code: str | None) -> str:
    """Show a code of a vendor or of the API as words: `needs_response` is `Needs response`."""
    return (code or "").replace("_", " ").capitalize()


@register.filter
def number(value: int) -> str:
    """Show a whole number with thousands separators."""
    return f"{value:,}"


@register.filter
def percent(share: float) -> str:
    """Show a share in percent."""
    return f"{share:.1%}"
