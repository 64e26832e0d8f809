"""Position: credits sold, spent and outstanding; revenue, cost and margin by day and model."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from billing.models import MoneyDay, Wallet
from imageskill.lib import clock
from jobs.models import ModelDay

_DEFAULT_DAYS = 30
_CENT = Decimal("0.01")


def view(request: HttpRequest) -> HttpResponse:
    """Show the position over the last days, as tables that can be exported."""
    if not request.user.has_perm("accounts.see_ledger"):
        raise PermissionDenied
    days = _days(request)
    since = clock.utc_day(clock.now()) - timedelta(days=days - 1)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Position",
        "days": days,
        "wallets": _wallets(),
        "movements": _movements(since),
        "by_day": _by(since, "day"),
        "by_provider": _by(since, "provider_id"),
        "by_model": _by(since, "model_id"),
        "margin_target": settings.TARGET_GROSS_MARGIN,
    }
    return TemplateResponse(request, "admin/console/position.html", context)


def _days(request: HttpRequest) -> int:
    text = request.GET.get("days", "")
    return (
        min(int(text), 3660) if text.isascii() and text.isdigit() and int(text) else _DEFAULT_DAYS
    )


def _wallets() -> list[dict[str, Any]]:
    """Sum the wallets of all organizations by purpose, and give the house's own."""
    rows = Wallet.objects.values("purpose").annotate(credits=Sum("balance")).order_by("purpose")
    return [dict(row) for row in rows]


def _movements(since: date) -> list[dict[str, Any]]:
    rows = MoneyDay.objects.filter(day__gte=since).values("name", "environment")
    totals = rows.annotate(
        number=Sum("count"), total_credits=Sum("credits"), cents=Sum("amount_cents")
    )
    return [dict(row) for row in totals.order_by("name", "environment")]


def _by(since: date, field: str) -> list[dict[str, Any]]:
    """Sum paid work by a field. One credit is one cent; free credits are no revenue."""
    rows = (
        ModelDay.objects.filter(day__gte=since)
        .values(field)
        .annotate(
            completed=Sum("completed"),
            failed=Sum("failed"),
            paid=Sum("paid_credits"),
            free=Sum("credits") - Sum("paid_credits"),
            cost=Sum("provider_usd"),
            lost=Sum("lost_usd"),
        )
        .order_by(field)
    )
    return [{"name": row[field], **row, **_margin(row)} for row in rows]


def _margin(row: dict[str, Any]) -> dict[str, Any]:
    revenue = (row["paid"] or 0) * _CENT
    margin = revenue - (row["cost"] or 0) - (row["lost"] or 0)
    return {
        "revenue": revenue,
        "margin": margin.quantize(_CENT),
        "rate": None if not revenue else f"{margin / revenue:.0%}",
    }
