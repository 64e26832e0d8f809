"""What is taken back in a history: refunds that two people decide on, and disputes."""

from datetime import timedelta

from django.conf import settings

from billing.models import PaymentReversal, Receipt, RefundRequest
from billing.reversals import evidence, refund_simulation, refunds
from imageskill.console.finance import evidence_pack
from imageskill.dev.demo import purchases
from imageskill.dev.demo.runtime.context import Context

_REASONS = RefundRequest.ReasonCode
_WHY_DISPUTED = ("fraudulent", "product_not_received", "unrecognized", "duplicate")
_DAY_S = 86_400
# Refunds of what is unused and of what was spent; disputes by how they end, and those whose
# deadline (a week after they begin) is over or near. How many, and between how many days ago.
_PLAN = {
    "unused": (7, 25, 1),
    "all": (4, 25, 1),
    "won": (4, 25, 10),
    "lost": (4, 25, 10),
    "overdue": (1, 7.9, 7.5),
    "due": (2, 5.9, 5.5),
    "open": (4, 4, 1),
    "inquiry": (3, 5, 1),
}
_UNDECIDED_DAYS = (12, 1, 2, 3)  # the first has expired by now
_TURNED_DOWN_DAYS = 4


def plan(context: Context) -> None:
    """Plan refunds and disputes; small histories have one of each."""
    random, end = context.random, context.end
    share = min(1.0, len([one for one in context.customers if one.pays]) / 40)
    for how, (number, most, least) in _PLAN.items():
        for _ in range(max(1, round(number * share))):
            at = random.between(end - timedelta(days=most), end - timedelta(days=least))
            step = _refund if how in {"unused", "all"} else _dispute
            context.timeline.plan(at, step, context, how)
    for days in _UNDECIDED_DAYS:
        context.timeline.plan(end - timedelta(days=days, hours=3), _ask, context)
    at = end - timedelta(days=_TURNED_DOWN_DAYS)
    context.timeline.plan(at, _turn_down, context)
    context.timeline.plan(end - timedelta(days=2), _stray, context)


def standing(context: Context) -> Receipt:
    """Return a payment by card that nothing has happened to, the latest; or make one."""
    at_work = {customer.organization_id: customer for customer in context.payers()}
    untouched = Receipt.objects.filter(
        reversals=None, refund_requests=None, organization__in=at_work, environment="stand_in"
    )
    before = context.timeline.now - timedelta(hours=2)
    receipt = untouched.filter(issued_at__lt=before).order_by("-id").first()
    if receipt is None:
        customer = context.random.choice(list(at_work.values()))
        receipt = purchases.buy(context, customer)
        context.timeline.wait(2 * 3600)
    return receipt


def _refund(context: Context, how: str) -> None:
    receipt = standing(context)
    amount = receipt.credits if how == "all" else None
    request = _request(context, receipt, amount)
    if request.state == request.State.REQUESTED:
        context.timeline.later(context.random.uniform(1, 20) * 3600, _approve, context, request.pk)


def _request(context: Context, receipt: Receipt, cents: int | None = None) -> RefundRequest:
    simulated = refund_simulation.simulate(receipt)
    return refunds.request(
        receipt=receipt,
        amount_cents=cents or simulated.amount_cents or receipt.amount_cents // 2,
        reason_code=context.random.choice([_REASONS.REQUESTED, _REASONS.SERVICE]),
        reason="The sponsor wrote in: the credits are not needed any more.",
        user=context.staff["support"],
    )


def _approve(context: Context, request_id: int) -> None:
    try:
        decided = refunds.approve(request_id=request_id, user=context.staff["finance"])
        if decided.is_pending:
            refunds.approve(request_id=request_id, user=context.staff["operator"])
    except refunds.RefundRefused:  # spent or disputed meanwhile
        note = "It has been spent since."
        refunds.reject(request_id=request_id, user=context.staff["finance"], note=note)


def _ask(context: Context) -> RefundRequest:
    """Request a refund as a sponsor or support does; it stays pending approval."""
    receipt = standing(context)
    owner, age = receipt.organization.owner, context.timeline.now - receipt.issued_at
    is_in_time = age < timedelta(days=settings.REFUND_WINDOW_DAYS)
    if owner and is_in_time and refund_simulation.unused_credits(receipt):
        reason = "Half of the images were not what had been asked for."
        return refunds.request_as_sponsor(receipt=receipt, reason=reason, user=owner)
    while receipt.amount_cents <= 2000:
        receipt = purchases.buy(context, context.random.choice(list(context.payers())))
    return _request(context, receipt, receipt.amount_cents)


def _turn_down(context: Context) -> None:
    request = _ask(context)
    context.timeline.wait(5 * 3600)
    note = "The images are as described."
    refunds.reject(request_id=request.pk, user=context.staff["finance"], note=note)


def _dispute(context: Context, how: str) -> None:
    receipt = standing(context)
    dispute = context.vendors.stripe.account.dispute(
        receipt.charge_id,
        is_inquiry=how == "inquiry",
        reason=context.random.choice(_WHY_DISPUTED),
    )
    later, decided_s = context.timeline.later, context.random.uniform(5, 9) * _DAY_S
    if how in {"won", "lost"}:
        later(decided_s - 3 * _DAY_S, _send_evidence, context, dispute["id"])
        later(decided_s, _decide, context, dispute["id"], how)
    elif how in {"due", "open"}:
        later(_DAY_S / 2, _draft_evidence, context, dispute["id"])


def _decide(context: Context, dispute_id: str, how: str) -> None:
    account = context.vendors.stripe.account
    (account.win if how == "won" else account.lose)(dispute_id)


def _draft_evidence(context: Context, dispute_id: str) -> PaymentReversal:
    reversal = PaymentReversal.objects.get(stripe_id=dispute_id)
    parts = evidence_pack.build(reversal).parts
    evidence.save_draft(reversal=reversal, parts=parts, user=context.staff["support"])
    return reversal


def _send_evidence(context: Context, dispute_id: str) -> None:
    reversal = _draft_evidence(context, dispute_id)
    context.timeline.wait(1800)
    reason = "its downloads speak for themselves"
    evidence.submit(reversal=reversal, user=context.staff["lead support"], reason=reason)


def _stray(context: Context) -> None:
    """Refund a charge of ours that nobody here knows."""
    charge_id = purchases.pay_unknown(context)
    context.timeline.settle()
    context.vendors.stripe.account.refund(charge_id)
