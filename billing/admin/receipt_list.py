"""The list of receipts: what it can be narrowed to, and what the receipts on it come to."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.models import CreditPack, Environment
from billing.purchases import receipt_status
from billing.purchases.receipt_status import ReceiptStatus
from imageskill.lib import amounts
from imageskill.lib.admin.keyset import KeysetChangeList
from imageskill.lib.admin.month_filter import MonthFilter

_NO_PACK = "-"


class IssuedFilter(MonthFilter):
    """When they were issued."""

    title = "month and day of issue (UTC)"
    parameter_name = "issued"
    column = "issued_at"


class PackFilter(SimpleListFilter):
    """What was bought: a pack, or a number of credits of the buyer's own."""

    title = "pack"
    parameter_name = "pack"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer every pack that there is or was."""
        packs = CreditPack.objects.order_by("credits").values_list("pack_id", "display_name")
        return [*packs, (_NO_PACK, "no pack, an exact number of credits")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to what was quoted for the pack."""
        pack = self.value()
        if pack is None:
            return queryset
        return queryset.filter(quote__pack_id="" if pack == _NO_PACK else pack)


class StatusFilter(SimpleListFilter):
    """What became of them."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer each status."""
        return [(status.value, str(status.label)) for status in ReceiptStatus]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to one status."""
        status = self.value()
        if status not in ReceiptStatus.values:
            return queryset
        return receipt_status.filter_by(queryset, status)


class ReceiptChangeList(KeysetChangeList):
    """Receipts, with their totals: at once where they are few, on request where they are many."""

    def get_results(self, request: HttpRequest) -> None:
        """Load the page; add up where the count is exact as well."""
        super().get_results(request)
        receipt_status.attach(self.result_list)
        self.totals = (
            list(map(_format_totals, receipt_status.totals(self.queryset)))
            if self.total.is_exact
            else None
        )


def _format_totals(total: dict[str, Any]) -> dict[str, Any]:
    currency = total["currency"]
    return {
        **total,
        "name": Environment(total["environment"]).label,
        "paid": amounts.format_amount(total["cents"], currency),
        "discount": amounts.format_amount(total["discounts"], currency),
        "tax": amounts.format_amount(total["taxes"], currency),
        "refunded": amounts.format_amount(-total["refunds"], currency),
        "disputed": amounts.format_amount(-total["disputes"], currency),
        "net": amounts.format_amount(total["net"], currency),
    }
