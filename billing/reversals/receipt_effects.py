"""What the refunds and disputes of a receipt do to its organization: derived, compared, posted."""

from collections.abc import Mapping, Sequence

from billing.chart import Purpose
from billing.ledger import clawbacks, debts, posting
from billing.ledger.clawbacks import NOTHING, Share, ShareChange
from billing.models import Clawback, PaymentReversal, Receipt, ReversalPhase
from billing.reversals import facts, in_force, notifications, request_outcomes
from billing.reversals.in_force import Effect
from billing.reversals.notifications import Outcome

ACTOR = "stripe"
_State, _Phase = PaymentReversal.State, ReversalPhase.Phase

_PHASES = {
    _State.SEEN: _Phase.SEEN,
    _State.APPLIED: _Phase.TAKEN,
    _State.UNDONE: _Phase.UNDONE,
    _State.LOST: _Phase.LOST,
    _State.CLOSED: _Phase.CLOSED,
    _State.REJECTED: _Phase.REJECTED,
}


def payment_of(receipt: Receipt) -> in_force.Payment:
    """Return what a receipt's refunds and disputes take their parts of."""
    return in_force.Payment(
        credits=receipt.credits, cents=receipt.amount_cents, currency=receipt.currency
    )


def apply(
    receipt: Receipt, reversals: Sequence[PaymentReversal], *, metadata: Mapping[str, str]
) -> None:
    """Post what the reversals of a locked receipt take now, and note it on their locked rows.

    `metadata` has our id of the request by Stripe's id of a refund. The caller saves the rows.
    """
    effects = in_force.derive(payment_of(receipt), [facts.as_fact(row) for row in reversals])
    rows = {reversal.stripe_id: reversal for reversal in reversals}
    for reversal in reversals:
        reversal.receipt, reversal.organization_id = receipt, receipt.organization_id
    wallets = posting.lock(receipt.organization_id)
    ended = request_outcomes.link(reversals, metadata=metadata)
    for request in ended:
        request_outcomes.release_reserve(wallets, request)
    changes = clawbacks.post_shares(
        wallets,
        receipt_id=receipt.public_id,
        shares=[_share(rows[effect.fact.id], effect) for effect in effects],
        actor=ACTOR,
    )
    _settle(wallets, receipt, [request.stripe_key for request in ended])
    by_reference = {change.reference: change for change in changes}
    outcomes = [
        _note(rows[effect.fact.id], effect, by_reference.get(rows[effect.fact.id].public_id))
        for effect in effects
    ]
    notifications.notify(receipt, outcomes)


def flag(reversal: PaymentReversal, problem: str) -> None:
    """Set the problem; a resolved one stays resolved until there is another."""
    if reversal.problem != problem:
        reversal.problem, reversal.resolved_at, reversal.resolution = problem, None, ""


def _settle(wallets: posting.Wallets, receipt: Receipt, ended: Sequence[str]) -> None:
    """Settle debts, other receipts' too, from what came back."""
    if wallets[Purpose.OWED] and wallets[Purpose.PAID]:
        # What came back is a movement or a reserve, and each of those happens once.
        number = clawbacks.count_movements(receipt.public_id)
        cause = ":".join([receipt.public_id, str(number), *ended])
        debts.settle(wallets, cause=cause, actor=ACTOR)


def _share(reversal: PaymentReversal, effect: Effect) -> Share:
    return Share(
        reference=reversal.public_id,
        cause=Clawback.Cause(reversal.kind),
        cause_key=f"{reversal.kind}:{reversal.stripe_id}",
        credits=effect.credits,
        is_lost=effect.state == "lost",
    )


def _note(reversal: PaymentReversal, effect: Effect, change: ShareChange | None) -> Outcome:
    """Write an effect into its row; record the phase that it entered."""
    before, after = (change.before, change.after) if change else (NOTHING, NOTHING)
    was, reversal.state = reversal.state, _State(effect.state)
    reversal.credits, reversal.in_force_cents = effect.credits, effect.cents
    reversal.excess_credits = effect.excess_credits
    flag(reversal, effect.problem)
    if was != reversal.state or before.credits != after.credits:
        ReversalPhase.objects.create(
            reversal=reversal,
            phase=_PHASES[_State(reversal.state)],
            details={"status": reversal.stripe_status, **after._asdict()},
        )
    is_new = reversal.state == _State.REJECTED and was != _State.REJECTED
    return Outcome(reversal, before, after, is_newly_rejected=is_new)
