"""The status of a receipt, defined once: a table of status to query, in order of precedence.

Lists, filters, totals, exports, the receipt itself and `credits status` all read it here. It is
worked out of the receipt's refunds and disputes as they stand; a dispute that was won, a refund
that failed and an inquiry leave no mark.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextChoices,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest

from billing.models import PaymentReversal, Receipt, RefundRequest

_Kind, _State = PaymentReversal.Kind, PaymentReversal.State


class ReceiptStatus(TextChoices):
    """What became of the payment."""

    LOST = "lost", "Lost"  # a dispute took it for good
    DISPUTED = "disputed", "Disputed"  # the bank holds it
    REFUNDED = "refunded", "Refunded"
    PARTIALLY_REFUNDED = "partially_refunded", "Partially refunded"
    PAID = "paid", "Paid"


def _reversals(**narrowed: Any) -> QuerySet[PaymentReversal]:
    return PaymentReversal.objects.filter(receipt=OuterRef("pk"), **narrowed).order_by()


_REFUNDS = _reversals(kind=_Kind.REFUND, in_force_cents__gt=0)
_DISPUTES = _reversals(kind=_Kind.DISPUTE, in_force_cents__gt=0)
_IS_ALL_REFUNDED = Exists(
    _REFUNDS.values("receipt")
    .annotate(refunded=Sum("in_force_cents"))
    .filter(refunded__gte=OuterRef("amount_cents"))
    .values("receipt")
)

# The first that holds is the status.
QUERIES: dict[ReceiptStatus, Q] = {
    ReceiptStatus.LOST: Q(Exists(_DISPUTES.filter(state=_State.LOST))),
    ReceiptStatus.DISPUTED: Q(Exists(_DISPUTES)),
    # The first condition is what an index answers; the sum is looked at for those alone.
    ReceiptStatus.REFUNDED: Q(Exists(_REFUNDS)) & Q(_IS_ALL_REFUNDED),
    ReceiptStatus.PARTIALLY_REFUNDED: Q(Exists(_REFUNDS)),
    ReceiptStatus.PAID: Q(),
}
_UNDER_WAY = Q(
    Exists(
        _reversals(
            kind=_Kind.REFUND,
            state=_State.SEEN,
            stripe_status__in=("pending", "requires_action"),
        )
    )
) | Q(
    Exists(
        RefundRequest.objects.filter(
            receipt=OuterRef("pk"), state=RefundRequest.State.APPROVED, finished_at__isnull=True
        )
    )
)


def with_status(receipts: QuerySet[Receipt]) -> QuerySet[Any]:
    """Add `status`, `refunded_cents`, `disputed_cents`, `net_cents` and `is_refund_under_way`."""
    whens = [When(query, then=Value(status.value)) for status, query in QUERIES.items() if query]
    described: QuerySet[Any] = _with_amounts(receipts).annotate(
        status=Case(*whens, default=Value(ReceiptStatus.PAID.value), output_field=CharField()),
        is_refund_under_way=_UNDER_WAY,
    )
    return described


def attach(receipts: Sequence[Any]) -> None:
    """Add the same to receipts that are loaded: by the indexes, however many receipts there are."""
    names = ("status", "refunded_cents", "disputed_cents", "net_cents", "is_refund_under_way")
    described = with_status(Receipt.objects.filter(pk__in=[receipt.pk for receipt in receipts]))
    values = {row["pk"]: row for row in described.values("pk", *names)}
    for receipt in receipts:
        for name in names:
            setattr(receipt, name, values[receipt.pk][name])


def filter_by(receipts: QuerySet[Any], status: str) -> QuerySet[Any]:
    """Narrow to receipts of one status: its query holds, and none before it does."""
    wanted = ReceiptStatus(status)
    for earlier, query in QUERIES.items():
        if earlier == wanted:
            narrowed: QuerySet[Any] = receipts.filter(query)
            return narrowed
        receipts = receipts.exclude(query)
    raise AssertionError(status)


def totals(receipts: QuerySet[Receipt]) -> QuerySet[Any, dict[str, Any]]:
    """Add up a set of receipts by environment and currency: only live is revenue."""
    sums: QuerySet[Any, dict[str, Any]] = (
        _with_amounts(receipts.order_by())
        .values("environment", "currency")
        .annotate(
            number=Count("pk"),
            cents=Sum("amount_cents"),
            discounts=Sum("discount_cents"),
            taxes=Sum("tax_cents"),
            refunds=Sum("refunded_cents"),
            disputes=Sum("disputed_cents"),
            net=Sum("net_cents"),
            total_credits=Sum("credits"),
        )
        .order_by("environment", "currency")
    )
    return sums


def of(receipt: Receipt) -> Any:
    """Return the receipt with its status and amounts, read anew."""
    return with_status(Receipt.objects.filter(pk=receipt.pk)).select_related(
        "quote", "organization", "agent", "attempt", "payer"
    )[0]


def _with_amounts(receipts: QuerySet[Receipt]) -> QuerySet[Any]:
    summed: QuerySet[Any] = receipts.annotate(
        refunded_cents=_sum(_REFUNDS),
        disputed_cents=_sum(_DISPUTES),
        net_cents=Greatest(F("amount_cents") - _sum(_REFUNDS) - _sum(_DISPUTES), 0),
    )
    return summed


def _sum(reversals: QuerySet[PaymentReversal]) -> Coalesce:
    cents = reversals.values("receipt").annotate(cents=Sum("in_force_cents")).values("cents")
    return Coalesce(Subquery(cents, output_field=IntegerField()), 0)
