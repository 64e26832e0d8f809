"""What agents of a history buy: quotes, Checkout sessions at the stand-in, and what buyers do."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from accounts.models import Agent
from billing.models import PaymentAttempt, Quote, Rail, Receipt, UnmatchedPayment
from billing.purchases import buyers, checkout, fake_rail, fulfillment, quotes
from billing.purchases.buyers import Buyer
from billing.reversals import refunds
from billing.stripe import gateway
from imageskill.dev.demo.runtime.context import Context, Customer
from imageskill.dev.standins.stripe import StripeAccount
from imageskill.lib import ids

_Way = Callable[[Context, Customer], object]
_Act = Callable[[StripeAccount, str], object]
_WANTED: dict[str | int, float] = {  # a pack, or a number of credits
    "starter-500": 6,
    "builder-2000": 3,
    "studio-5000": 1,
    1000: 1,
    1500: 2,
    750: 1,
}
_CHECKOUT_S, _PAY_S, _ABANDONED_S = 40, 120, 110 * 60


def plan(context: Context, customer: Customer) -> None:
    """Plan what a paying agent buys before it has to, by card mostly."""
    begin = context.timeline.now + timedelta(minutes=30)
    for _ in range(context.random.randrange(1, 4)):
        at = context.random.between(begin, customer.until)
        is_fake = context.random.random() < 0.25
        context.timeline.plan(at, _try_to_buy, context, customer, is_fake=is_fake)


def plan_odd(context: Context) -> None:
    """Plan payments that end otherwise: unpaid, paid twice, paid with another amount."""
    random, end = context.random, context.end
    for way in (*_UNPAID, _cancel, _get_back):
        at = random.between(end - timedelta(days=60), end - timedelta(days=2))
        context.timeline.plan(at, by_somebody, context, way)
    for hours, way in enumerate((*_UNDECIDED, _pay_twice, _pay_other), 1):
        context.timeline.plan(end - timedelta(hours=hours), by_somebody, context, way)


def by_somebody(context: Context, way: _Way) -> None:
    """Have a paying agent act."""
    way(context, context.random.choice(list(context.payers())))


def buy(context: Context, customer: Customer, *, is_fake: bool = False) -> Receipt:
    """Buy credits, by card or on the fake rail; return the receipt."""
    if is_fake:
        quote = _quote(context, customer, Rail.FAKE)
        return fake_rail.purchase(
            buyer=_buyer(customer), quote_id=quote.public_id, idempotency_key=_key("purchase")
        )
    attempt = _open(context, customer)
    context.timeline.wait(_PAY_S)
    context.vendors.stripe.account.pay(_session(attempt))
    context.timeline.settle()
    return Receipt.objects.get(attempt=attempt)


def pay_unknown(context: Context) -> str:
    """Pay a session that names an attempt nobody here has; return the charge."""
    account = context.vendors.stripe.account
    price = {"currency": "usd", "unit_amount": "1500", "product_data": {"name": "1500 credits"}}
    ours = gateway.build_metadata(payment_attempt_id=ids.new("payment_attempt"))
    session = account.open_session(
        {
            "mode": "payment",
            "line_items": [{"quantity": "1", "price_data": price}],
            "client_reference_id": ours["payment_attempt_id"],
            "metadata": ours,
            "payment_intent_data": {"metadata": ours},
            "success_url": "",
            "cancel_url": "",
        },
        base_url="",
    )
    paid = account.pay(session["id"])
    return str(account.get(paid["payment_intent"])["latest_charge"])


def _try_to_buy(context: Context, customer: Customer, *, is_fake: bool) -> None:
    if not Agent.objects.get(pk=customer.agent_id).is_revoked:
        buy(context, customer, is_fake=is_fake)


def _quote(context: Context, customer: Customer, rail: str) -> Quote:
    wanted = context.random.weighted(_WANTED)
    return quotes.create(
        buyer=_buyer(customer),
        payment_method=rail,
        idempotency_key=_key("quote"),
        pack_id=wanted if isinstance(wanted, str) else None,
        credits=wanted if isinstance(wanted, int) else None,
    )


def _buyer(customer: Customer) -> Buyer:
    return buyers.agent_buyer(Agent.objects.get(pk=customer.agent_id))


def _open(context: Context, customer: Customer, quote: Quote | None = None) -> PaymentAttempt:
    quote = quote or _quote(context, customer, Rail.STRIPE_CHECKOUT)
    context.timeline.wait(_CHECKOUT_S)
    return checkout.open_session(
        buyer=_buyer(customer),
        quote_id=quote.public_id,
        idempotency_key=_key("buy"),
    )


def _session(attempt: PaymentAttempt) -> str:
    assert attempt.checkout_session_id is not None
    return attempt.checkout_session_id


def _visit(
    context: Context,
    customer: Customer,
    *,
    now: _Act | None = None,
    then: _Act | None = None,
    after_s: float = _ABANDONED_S,
) -> None:
    """Open a session, do something there now, and have something happen to it afterwards."""
    account, session_id = context.vendors.stripe.account, _session(_open(context, customer))
    if now is not None:
        now(account, session_id)
    if then is not None:
        context.timeline.later(after_s, then, account, session_id)


def _key(what: str) -> str:
    return f"{what}-{ids.random_text(12)}"


def _cancel(context: Context, customer: Customer) -> None:
    attempt = _open(context, customer)
    context.timeline.wait(_PAY_S)
    fulfillment.cancel(payment_attempt_id=attempt.public_id)


def _pay_twice(context: Context, customer: Customer) -> None:
    """Pay a quote again, after a bank transfer had failed that then arrives all the same."""
    account = context.vendors.stripe.account
    quote = _quote(context, customer, Rail.STRIPE_CHECKOUT)
    first = _session(_open(context, customer, quote))
    account.pay_later(first)
    account.fail(first)
    context.timeline.settle()
    account.pay(_session(_open(context, customer, quote)))
    context.timeline.settle()
    context.timeline.wait(_PAY_S)
    account.settle(first)


def _pay_other(context: Context, customer: Customer) -> UnmatchedPayment:
    attempt = _open(context, customer)
    other = attempt.quote.price_cents - 100
    context.vendors.stripe.account.pay(_session(attempt), amount_total=other)
    context.timeline.settle()
    return UnmatchedPayment.objects.get(attempt=attempt)


def _get_back(context: Context, customer: Customer) -> None:
    payment = _pay_other(context, customer)
    context.timeline.wait(4 * 3600)
    asked = refunds.request_for_unmatched(
        payment=payment, reason="not what the quote says", user=context.staff["support"]
    )
    if asked.state == asked.State.REQUESTED:
        refunds.approve(request_id=asked.pk, user=context.staff["finance"])


_UNPAID: tuple[_Way, ...] = (
    *(partial(_visit, then=StripeAccount.close_session),) * 3,
    partial(_visit, now=StripeAccount.decline, then=StripeAccount.close_session),
    partial(_visit, now=StripeAccount.pay_later, then=StripeAccount.fail, after_s=26 * 3600),
)
_UNDECIDED: tuple[_Way, ...] = (_visit, _visit, partial(_visit, now=StripeAccount.pay_later))
