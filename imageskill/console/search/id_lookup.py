"""What a pasted text may identify: lookups by its form, each by an index, likeliest first."""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from django.db.models import Model, Q

from accounts.models import ActivityEvent, Agent, Claim, Organization
from accounts.tokens import minting
from billing.models import (
    BalanceMovement,
    PaymentAttempt,
    PaymentReversal,
    Quote,
    Receipt,
    RefundRequest,
    StripeEvent,
    Transfer,
    UnmatchedPayment,
)
from feedback.github_queue import client
from feedback.models import GithubEvent, QueueItem, Report
from jobs.models import Asset, Job, Usage

Lookup = Callable[[str], Model | None]

TRACE = re.compile(r"trace_[0-9a-f]{32}")
_MAX_EVENTS_PER_TRACE = 50
_MAX_OBJECTS_PER_TRACE = 20


def _lookup_by(model: type[Model], *fields: str) -> Lookup:
    def find(text: str) -> Model | None:
        for field in fields:
            found = model._default_manager.filter(**{field: text}).order_by("-pk").first()
            if found is not None:
                return found
        return None

    return find


def _token(text: str) -> Model | None:
    token = minting.find(text)
    return token.agent if token else None


def _receipt_number(text: str) -> Model | None:
    return Receipt.objects.filter(number=text.upper()).first()


def _last_event_about(text: str) -> Model | None:
    """Find the last event whose object is or refers to this; each query has its own index."""
    for condition in (Q(object_id=text), Q(related_ids__contains=[text])):
        found = StripeEvent.objects.filter(condition).order_by("-pk")[:1]
        if newest := next(iter(found), None):
            return newest
    return None


def _issue(text: str) -> Model | None:
    issue = client.parse_issue_reference(text)
    if issue is None:
        return None
    names = {"repository": issue[0], "issue_number": issue[1]}
    item = QueueItem.objects.filter(**names).order_by("-pk").first()
    return item or GithubEvent.objects.filter(**names).order_by("-pk").first()


# The form of a text, and its lookups, in this order.
_LOOKUPS: tuple[tuple[re.Pattern[str], tuple[Lookup, ...]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE if lookups == (_receipt_number,) else 0), lookups)
    for pattern, lookups in (
        (r"isk_r_\w+", (_token,)),
        (r"agt_\w+", (_lookup_by(Agent, "public_id"),)),
        (r"org_\w+", (_lookup_by(Organization, "public_id"),)),
        (r"claim_\w+", (_lookup_by(Claim, "public_id"),)),
        (r"job_\w+", (_lookup_by(Job, "public_id"),)),
        (r"image_[\w.-]+", (_lookup_by(Asset, "public_id"),)),
        (r"usage_\w+", (_lookup_by(Usage, "public_id"),)),
        (r"sig_\w+", (_lookup_by(Report, "public_id"),)),
        (r"quote_[\w-]+", (_lookup_by(Quote, "public_id"),)),
        (r"payatt_\w+", (_lookup_by(PaymentAttempt, "public_id"),)),
        (r"receipt_\w+", (_lookup_by(Receipt, "public_id"),)),
        (
            r"credit_event_\w+",
            (
                _lookup_by(Receipt, "credit_event_id"),
                _lookup_by(PaymentReversal, "credit_event_id"),
            ),
        ),
        (r"payment_reversal_\w+", (_lookup_by(PaymentReversal, "public_id"),)),
        (r"(IS|TEST)-\d{4}-\d+", (_receipt_number,)),
        (r"evt_\w+", (_lookup_by(ActivityEvent, "public_id"), _lookup_by(StripeEvent, "event_id"))),
        (
            r"cs_\w+",
            (
                _lookup_by(PaymentAttempt, "checkout_session_id"),
                _lookup_by(UnmatchedPayment, "checkout_session_id"),
            ),
        ),
        (
            r"pi_\w+",
            (
                _lookup_by(Receipt, "payment_intent_id"),
                _lookup_by(PaymentAttempt, "payment_intent_id"),
                _lookup_by(UnmatchedPayment, "payment_intent_id"),
                _lookup_by(PaymentReversal, "payment_intent_id"),
            ),
        ),
        (
            r"(ch|py)_\w+",
            (
                _lookup_by(Receipt, "charge_id"),
                _lookup_by(UnmatchedPayment, "charge_id"),
                _lookup_by(PaymentReversal, "charge_id"),
            ),
        ),
        (
            r"(re|pyr|du|dp)_\w+",
            (
                _lookup_by(PaymentReversal, "stripe_id"),
                _lookup_by(RefundRequest, "stripe_refund_id"),
            ),
        ),
        (r"txn_\w+", (_lookup_by(BalanceMovement, "stripe_id"),)),
        (r"\S+(#|/issues/)\d+", (_issue,)),
        (
            r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
            (_lookup_by(GithubEvent, "delivery_id"),),
        ),
    )
)
# Any other id: a transfer or a Stripe event that refers to it.
_ANY_ID = re.compile(r"(?!isk_)[a-z]{2,24}_[\w.-]+")
_FALLBACK_LOOKUPS: tuple[Lookup, ...] = (_lookup_by(Transfer, "reference"), _last_event_about)


def find_all(text: str) -> Iterator[Model]:
    """Find what a text identifies, one object per lookup, the likeliest first."""
    matching = [lookups for pattern, lookups in _LOOKUPS if pattern.fullmatch(text)]
    if _ANY_ID.fullmatch(text):
        matching.append(_FALLBACK_LOOKUPS)
    for lookups in matching:
        for lookup in lookups:
            found: Any = lookup(text)
            if found is not None:
                yield found


def find_by_trace(trace_id: str) -> list[Model]:
    """Find what a call created and changed: its jobs, what its events refer to, its feedback."""
    found: dict[tuple[str, int], Model] = {}
    for thing in islice(_iter_trace(trace_id), _MAX_OBJECTS_PER_TRACE):
        found.setdefault((thing._meta.label, thing.pk), thing)
    return list(found.values())


def _iter_trace(trace_id: str) -> Iterator[Model]:
    yield from Job.objects.filter(trace_id=trace_id).order_by("-pk")[:_MAX_OBJECTS_PER_TRACE]
    events = trace_events(trace_id).values_list("references", flat=True)[:_MAX_EVENTS_PER_TRACE]
    named = dict.fromkeys(name for names in events for name in names if name != trace_id)
    for name in named:
        found = next((thing for thing in find_all(name) if not _is_log(thing)), None)
        if found is not None:
            yield found
    yield from Report.objects.filter(trace_id=trace_id).order_by("-pk")[:_MAX_OBJECTS_PER_TRACE]


def trace_events(trace_id: str) -> Any:
    """Return the activity of a call, newest first."""
    return ActivityEvent.objects.filter(references__contains=[trace_id]).order_by("-pk")


def _is_log(thing: Model) -> bool:
    return isinstance(thing, ActivityEvent | StripeEvent | Transfer)
