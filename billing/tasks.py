"""What workers do for billing, by name; each task makes one domain call."""

from datetime import timedelta

import structlog
from celery import shared_task

from billing import approvals
from billing.ledger import checks, daily_totals
from billing.purchases import fulfillment
from billing.reconciliation import run as reconciliation
from billing.reversals import refund_sending
from billing.stripe import gateway
from billing.webhooks import inbox, reversal_events
from imageskill.lib import clock

log = structlog.get_logger(__name__)


@shared_task(name=checks.CHECK_TASK)
def check_books(*, actor: str = "system:nightly", **_: object) -> None:
    """Check the books and keep the outcome."""
    run = checks.run_check(actor=actor)
    if run.problem_count:
        log.error("books_are_not_in_order", problems=run.problem_count)


@shared_task(name=inbox.HANDLE_TASK)
def handle_stripe_event(*, event_id: str, **_: object) -> None:
    """Handle one stored event of Stripe's."""
    inbox.handle(event_id=event_id)


@shared_task(name="billing.sweep_stripe_events")
def sweep_stripe_events(**_: object) -> None:
    """Hand due events to workers again: lost on the way, or failed before."""
    inbox.requeue_due()


@shared_task(name="billing.sweep_payments")
def sweep_payments(**_: object) -> None:
    """Find payments that no webhook told of."""
    if gateway.is_configured():
        fulfillment.sweep()


@shared_task(name="billing.fetch_stripe_events")
def fetch_stripe_events(**_: object) -> None:
    """Get the events that Stripe could not deliver."""
    if gateway.is_configured():
        inbox.fetch_undelivered()


@shared_task(name="billing.match_reversals")
def match_reversals(**_: object) -> None:
    """Apply refunds and disputes that came before their receipt."""
    if gateway.is_configured():
        reversal_events.match_unmatched()


@shared_task(name="billing.tally")
def count_daily_totals(**_: object) -> None:
    """Count what money did today, yesterday once more after midnight, and what wallets hold."""
    today = clock.utc_day(clock.now())
    daily_totals.count_day(today - timedelta(days=1))
    daily_totals.count_day(today)
    daily_totals.count_wallets()


@shared_task(name=refund_sending.SEND_TASK)
def send_refund(*, request_id: int, **_: object) -> None:
    """Tell Stripe about an approved refund."""
    refund_sending.send(request_id=request_id)


@shared_task(name="billing.tend_requests")
def resend_unsent_refunds(**_: object) -> None:
    """Hand unsent refunds out again."""
    refund_sending.resend_unsent()


@shared_task(name="billing.expire_requests")
def expire_requests(**_: object) -> None:
    """End requests that nobody decided in time."""
    approvals.expire_overdue()


@shared_task(name="billing.reconcile")
def reconcile(**_: object) -> None:
    """Compare Stripe's balance with the books."""
    if gateway.is_configured():
        reconciliation.run_nightly()
