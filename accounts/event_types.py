"""The registry of activity events: types, subjects and links. No other types exist.

The table is part of the public contract: agents report a type outside it as a bug.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event: its subject, and the links in each event (set or null)."""

    name: str
    subject: str
    emitted_when: str
    links: tuple[str, ...]


_WORK = ("job_id", "asset_ids", "usage_event_id")
_REVERSAL = ("quote_id", "receipt_id", "payment_reversal_id")

EVENT_TYPES = {
    kind.name: kind
    for kind in (
        EventType(
            "job.completed",
            "job",
            "A create or edit job reached its final state.",
            (*_WORK, "feedback_id"),
        ),
        EventType("asset.created", "asset", "A create or edit job produced an output.", _WORK),
        EventType("asset.uploaded", "asset", "An input image was uploaded.", _WORK),
        EventType(
            "usage.credit_consumed",
            "usage",
            "A finished operation was charged.",
            ("job_id", "usage_event_id"),
        ),
        EventType("feedback.created", "feedback", "A report was accepted.", ("feedback_id",)),
        EventType(
            "feedback.github_queue.processed",
            "feedback",
            "The GitHub queue processed a report.",
            ("feedback_id",),
        ),
        EventType(
            "payment.checkout_session.created",
            "payment",
            "A Checkout session was created and awaits payment.",
            ("quote_id", "payment_attempt_id", "checkout_session_id"),
        ),
        EventType(
            "credits.payment_backed_granted",
            "credit",
            "A confirmed payment granted credits.",
            ("quote_id", "receipt_id", "credit_event_id"),
        ),
        EventType(
            "credits.payment_backed_refunded",
            "credit",
            "A refund removed paid credits.",
            (*_REVERSAL, "credit_event_id"),
        ),
        EventType(
            "credits.payment_backed_disputed",
            "credit",
            "A dispute removed paid credits.",
            (*_REVERSAL, "credit_event_id"),
        ),
        EventType(
            "credits.payment_backed_reinstated",
            "credit",
            "A dispute was won and its credits were restored.",
            _REVERSAL,
        ),
        EventType(
            "credits.payment_backed_reversal_pending",
            "credit",
            "A reversal exceeded the remaining credits; the rest is due.",
            _REVERSAL,
        ),
        EventType(
            "credits.payment_backed_reversal_rejected",
            "credit",
            "A reversal could not be matched to a receipt; no credits moved.",
            _REVERSAL,
        ),
    )
}
