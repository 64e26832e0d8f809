"""Celery tasks of billing; each makes one domain call."""

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
from imageskill.lib.redis import locks

log = structlog.get_logger(__name__)


@shared_task(name=checks.CHECK_TASK)
def check_books(
    *, actor: str = "system:nightly", is_incremental: bool = False, **_: object
) -> None:
    """Run the ledger checks and store the result; a second delivery finds the first at it."""
    with locks.held(f"billing.check_books:{actor}") as is_mine:
        if not is_mine:
            return
        run = checks.run_check(actor=actor, is_incremental=is_incremental)
    if run.problem_count:
        log.error("books_are_not_in_order", problems=run.problem_count)


@shared_task(name=inbox.HANDLE_TASK)
def handle_stripe_event(*, event_id: str, **_: object) -> None:
    """Process one stored Stripe event."""
    inbox.handle(event_id=event_id)


@shared_task(name="billing.sweep_stripe_events")
def sweep_stripe_events(**_: object) -> None:
    """Enqueue events again whose processing is due: lost, or failed before."""
    inbox.requeue_due()


@shared_task(name="billing.sweep_payments")
def sweep_payments(**_: object) -> None:
    """Find payments whose webhook was lost."""
    if gateway.is_configured():
        fulfillment.sweep()


@shared_task(name="billing.fetch_stripe_events")
def fetch_stripe_events(**_: object) -> None:
    """Fetch the events that Stripe could not deliver."""
    if gateway.is_configured():
        inbox.fetch_undelivered()


@shared_task(name="billing.match_reversals")
def match_reversals(**_: object) -> None:
    """Apply refunds and disputes that arrived before their receipt."""
    if gateway.is_configured():
        reversal_events.match_unmatched()


@shared_task(name="billing.tally")
def count_daily_totals(**_: object) -> None:
    """Count the totals of today, of yesterday once more after midnight, and of wallets."""
    today = clock.utc_day(clock.now())
    daily_totals.count_day(today - timedelta(days=1))
    daily_totals.count_day(today)
    daily_totals.count_wallets()


@shared_task(name=refund_sending.SEND_TASK)
def send_refund(*, request_id: int, **_: object) -> None:
    """Send an approved refund to Stripe."""
    refund_sending.send(request_id=request_id)


@shared_task(name="billing.tend_requests")
def resend_unsent_refunds(**_: object) -> None:
    """Enqueue unsent refunds again."""
    refund_sending.resend_unsent()


@shared_task(name="billing.expire_requests")
def expire_requests(**_: object) -> None:
    """Expire requests that nobody decided in time."""
    approvals.expire_overdue()


@shared_task(name="billing.reconcile")
def reconcile(**_: object) -> None:
    """Reconcile Stripe's balance with the ledger; a second delivery finds the first at it."""
    if not gateway.is_configured():
        return
    with locks.held("billing.reconcile") as is_mine:
        if is_mine:
            reconciliation.run_nightly()
