"""Template filters that format ids, times and amounts as the console's lists do."""

from django import template

from billing.models import EarlyFraudWarning
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


@register.simple_tag
def early_fraud_warnings(charge_id: str) -> list[EarlyFraudWarning]:
    """Return what card issuers reported of a charge, the latest first."""
    if not charge_id:
        return []
    return list(EarlyFraudWarning.objects.filter(charge_id=charge_id).order_by("-warned_at"))
