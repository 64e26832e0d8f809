"""The registry of activity events: types, subjects, operations and stable links. No others exist.

The table is public contract: an agent treats a type outside it as a defect of ours.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EventType:
    """One type: what it is about, and the links that each of its events carries (null or set)."""

    name: str
    subject: str
    emitted_when: str
    links: tuple[str, ...]


_WORK = ("job_id", "asset_ids", "usage_event_id")
_REVERSAL = ("quote_id", "receipt_id", "payment_reversal_id")

EVENT_TYPES = {
    kind.name: kind
    for kind in (
        EventType("job.completed", "job", "A create or edit reached its final state.", _WORK),
        EventType("asset.created", "asset", "A create or edit produced an output.", _WORK),
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
            "A report went through the queue to GitHub.",
            ("feedback_id",),
        ),
        EventType(
            "payment.checkout_session.created",
            "payment",
            "A Checkout session waits for a person to pay.",
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
            "A refund took paid credits back.",
            (*_REVERSAL, "credit_event_id"),
        ),
        EventType(
            "credits.payment_backed_disputed",
            "credit",
            "A dispute took paid credits away.",
            (*_REVERSAL, "credit_event_id"),
        ),
        EventType(
            "credits.payment_backed_reinstated",
            "credit",
            "A dispute ended well and its credits came back.",
            _REVERSAL,
        ),
        EventType(
            "credits.payment_backed_reversal_pending",
            "credit",
            "A reversal took more than was left; the rest is owed.",
            _REVERSAL,
        ),
        EventType(
            "credits.payment_backed_reversal_rejected",
            "credit",
            "A reversal could not be matched safely; nothing moved.",
            _REVERSAL,
        ),
    )
}
