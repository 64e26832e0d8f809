"""What a member of staff may do alone: limits by role on sums, not on single requests.

A second person is needed once a sum passes a limit: of a payment's refunds over its life, of a
person's refunds on a UTC day, of an organization's or a person's goodwill over 30 days. Pending
requests count, and so do failed ones, which can be sent again.
"""

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q, QuerySet, Sum

from accounts.models import Organization, User
from billing.models import (
    CreditCorrection,
    PaymentReversal,
    Receipt,
    RefundRequest,
    UnmatchedPayment,
)
from imageskill.lib import clock

Payment = Receipt | UnmatchedPayment

GOODWILL_PERIOD = timedelta(days=30)
_DROPPED = (RefundRequest.State.TURNED_DOWN, RefundRequest.State.EXPIRED)


class Allowance(NamedTuple):
    """How much of one limit is used; cents of refunds, credits of goodwill."""

    used: int
    limit: int


class Allowances(NamedTuple):
    """The two limits that bind a request: on its subject, and on who makes or approves it."""

    subject: Allowance  # a payment's refunds, or an organization's goodwill
    person: Allowance

    def cover(self, amount: int) -> bool:
        """Return whether one person may do this much more alone."""
        return all(each.used + amount <= each.limit for each in self)


def limit_of(user: User, setting: str) -> int:
    """Return the highest limit among a person's roles; the setting itself where none has its own.

    `setting` names the limit for every role; `<setting>_BY_ROLE` holds those that differ.
    """
    default: int = getattr(settings, setting)
    by_role: dict[str, int] = getattr(settings, f"{setting}_BY_ROLE")
    if not by_role:
        return default
    names = user.groups.values_list("name", flat=True)
    return max((by_role.get(name, default) for name in names), default=default)


def lock(user: User, subject: Payment | Organization) -> None:
    """Lock a person and what they act on, so that of two requests at once the second sees both."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    rows = type(subject)._default_manager.select_for_update(of=("self",), no_key=True)
    rows.get(pk=subject.pk)


def refunds(user: User, payment: Payment, *, besides: RefundRequest | None = None) -> Allowances:
    """Return what is used of a person's limits on refunds of this payment.

    `besides` leaves out the request that is being decided.
    """
    return Allowances(
        subject=Allowance(
            refunded_cents(payment, besides=besides),
            limit_of(user, "REFUND_SECOND_PERSON_CENTS"),
        ),
        person=Allowance(
            _cents(_counted(besides).filter(_done_alone_today(user))),
            limit_of(user, "REFUND_SECOND_PERSON_CENTS_PER_DAY"),
        ),
    )


def goodwill(user: User, organization_id: int) -> Allowances:
    """Return what is used of a person's limits on goodwill for this organization."""
    return Allowances(
        subject=Allowance(
            goodwill_credits(organization_id), limit_of(user, "GOODWILL_SECOND_PERSON_CREDITS")
        ),
        person=Allowance(
            _credits(_recent_goodwill().filter(requested_by=user)),
            limit_of(user, "GOODWILL_SECOND_PERSON_CREDITS_PER_PERSON"),
        ),
    )


def refunded_cents(payment: Payment, *, besides: RefundRequest | None = None) -> int:
    """Return a payment's refunds over its life: requested here, or made at Stripe."""
    requests = _counted(besides).filter(**_subject_of(payment))
    requested = _cents(requests)
    if not payment.charge_id:
        return requested
    at_stripe = PaymentReversal.objects.filter(
        charge_id=payment.charge_id, kind=PaymentReversal.Kind.REFUND
    ).exclude(stripe_status__in=("failed", "canceled"))
    ours = RefundRequest.objects.filter(**_subject_of(payment))
    known = Q(requests__isnull=False) | Q(
        stripe_id__in=ours.exclude(stripe_refund_id="").values("stripe_refund_id")
    )
    elsewhere = at_stripe.exclude(known).aggregate(cents=Sum("amount_cents", default=0))
    return requested + int(elsewhere["cents"])


def goodwill_credits(organization_id: int) -> int:
    """Return an organization's goodwill over the period, what is pending included."""
    return _credits(_recent_goodwill().filter(organization_id=organization_id))


def _counted(besides: RefundRequest | None) -> QuerySet[RefundRequest]:
    counted: QuerySet[RefundRequest] = RefundRequest.objects.exclude(state__in=_DROPPED)
    return counted.exclude(pk=besides.pk) if besides else counted


def _done_alone_today(user: User) -> Q:
    """Match what a person requested today, and what sponsors requested and they alone approved."""
    midnight = datetime.combine(clock.utc_day(clock.now()), time.min, tzinfo=UTC)
    requested = Q(requested_by=user, is_from_sponsor=False, requested_at__gte=midnight)
    approved_alone = Q(
        decided_by=user,
        is_from_sponsor=True,
        first_approved_by__isnull=True,
        decided_at__gte=midnight,
    )
    return requested | approved_alone


def _recent_goodwill() -> QuerySet[CreditCorrection]:
    recent: QuerySet[CreditCorrection] = CreditCorrection.objects.filter(
        kind=CreditCorrection.Kind.GOODWILL, requested_at__gte=clock.now() - GOODWILL_PERIOD
    )
    return recent.exclude(state__in=_DROPPED)


def _subject_of(payment: Payment) -> dict[str, Payment]:
    return {"receipt" if isinstance(payment, Receipt) else "unmatched_payment": payment}


def _cents(requests: QuerySet[RefundRequest]) -> int:
    return int(requests.aggregate(cents=Sum("amount_cents", default=0))["cents"])


def _credits(corrections: QuerySet[CreditCorrection]) -> int:
    return int(corrections.aggregate(total=Sum("credits", default=0))["total"])
