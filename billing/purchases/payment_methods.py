"""Payment methods: which exist, which can be used here, and whether money moves."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from billing.models import Environment, Rail
from billing.purchases import idempotency_keys, packs
from billing.stripe import gateway
from imageskill.lib.errors import ApiError, InvalidArguments

STRIPE_X402 = "stripe_x402.exact.usdc"
STRIPE_MINIMUM_CENTS = 50  # Stripe's minimum charge in US dollars
NO_LIVE_MONEY_WARNING = (
    "No money moves here: this payment method is not live, and its receipts say so."
)


class PaymentMethodUnavailable(ApiError):
    """The rail is known and can't be used here; recovery names one that can."""

    code = "PAYMENT_METHOD_UNAVAILABLE"
    status = 409
    exit_code = 2
    message = "This payment method can't be used here."


@dataclass(frozen=True, kw_only=True)
class PaymentMethod:
    """A payment method, as it is on this installation."""

    method_id: str
    environment: str
    has_live_money: bool
    unavailable_reason: str | None
    settlement_blocker: str | None
    buyer_modes: tuple[str, ...]
    needs_browser: bool
    agent_settleable: bool
    purchase_endpoint: str | None
    min_amount_cents: int
    max_amount_cents: int = packs.MAX_CREDITS

    @property
    def is_available(self) -> bool:
        """Whether quotes and purchases can use it here."""
        return self.unavailable_reason is None


def all_methods() -> list[PaymentMethod]:
    """Return every known payment method, usable or not."""
    return [_fake(), _stripe_checkout(), _x402()]


def find(method_id: str) -> PaymentMethod:
    """Return a payment method; raises InvalidArguments for an unknown one."""
    for name, describe in _METHODS.items():
        if name == method_id:
            return describe()
    raise InvalidArguments(
        "There is no such payment method.",
        details=[{"field": "payment_method", "message": f"must be one of {', '.join(_METHODS)}"}],
        recovery={"suggested_command": "image-skill credits methods --json"},
    )


def require(method_id: str) -> PaymentMethod:
    """Return a payment method that can be used here, or raise PaymentMethodUnavailable."""
    method = find(method_id)
    if not method.is_available:
        instead = preferred()
        command = (
            "image-skill credits methods --json" if instead is None else quote_command(instead)
        )
        raise PaymentMethodUnavailable(
            f"The payment method {method_id} can't be used here: {method.unavailable_reason}",
            recovery={"suggested_command": command},
        )
    return method


def preferred() -> PaymentMethod | None:
    """Return the payment method to use, the one with real money first, or None."""
    usable = [method for method in all_methods() if method.is_available]
    return max(usable, key=lambda method: method.has_live_money, default=None)


def fallback() -> PaymentMethod | None:
    """Return the payment method to try when the preferred one fails; itself if it is the only."""
    usable = [method for method in all_methods() if method.is_available]
    return min(usable, key=lambda method: method.has_live_money, default=None)


def path_of(method: PaymentMethod | None) -> str:
    """Return the way to credits that a payment method is: by the agent itself, or by a person."""
    if method is None:
        return "payment_method_inspection"
    return "browserless_agent_self_fund" if method.agent_settleable else "human_payment_handoff"


def quote_command(method: PaymentMethod) -> str:
    """Return the command that creates a quote with this method."""
    pack_id = quoted_pack_id(method)
    terms = f"--pack {pack_id}" if pack_id else "--credits 10"
    return f"image-skill credits quote {terms} --payment-method {method.method_id} --json"


def quoted_pack_id(method: PaymentMethod) -> str | None:
    """Return the pack to quote with this method; None where an exact number is the usual way."""
    return packs.default_pack_id() if method.needs_browser else None


def buy_command(method_id: str, *, quote_id: str = "QUOTE_ID", key: str = "KEY") -> str:
    """Return the command that buys a quote of this method; without values, a template of it."""
    command = "fake-purchase" if method_id == Rail.FAKE else "buy --provider stripe"
    return (
        f"image-skill credits {command} --quote-id {quote_id} {idempotency_keys.FLAG} {key} --json"
    )


def status_command(quote_id: str = "QUOTE_ID") -> str:
    """Return the command that shows a purchase by its quote; without one, a template of it."""
    return f"image-skill credits status --quote-id {quote_id} --json"


def _fake() -> PaymentMethod:
    return PaymentMethod(
        method_id=Rail.FAKE,
        environment=Environment.TEST,
        has_live_money=False,
        unavailable_reason=None
        if settings.FAKE_PAYMENTS
        else "purchases without money are disabled on this installation.",
        settlement_blocker=None,
        buyer_modes=("agent_only", "hybrid", "human_only"),
        needs_browser=False,
        agent_settleable=True,
        purchase_endpoint="/v1/credit-purchases",
        min_amount_cents=packs.MIN_CREDITS,
    )


def _stripe_checkout() -> PaymentMethod:
    return PaymentMethod(
        method_id=Rail.STRIPE_CHECKOUT,
        environment=gateway.environment(),
        has_live_money=True,
        unavailable_reason=None
        if gateway.is_configured()
        else "Stripe is not configured on this installation.",
        settlement_blocker="a human pays on Stripe's page",
        buyer_modes=("hybrid", "human_only"),
        needs_browser=True,
        agent_settleable=False,
        purchase_endpoint="/v1/credit-purchases/stripe-checkout-sessions",
        min_amount_cents=STRIPE_MINIMUM_CENTS,
    )


def _x402() -> PaymentMethod:
    return PaymentMethod(
        method_id=STRIPE_X402,
        environment=gateway.environment(),
        has_live_money=True,
        unavailable_reason="paying by x402 is not built yet.",
        settlement_blocker="not built yet",
        buyer_modes=("agent_only",),
        needs_browser=False,
        agent_settleable=True,
        purchase_endpoint=None,
        min_amount_cents=packs.MIN_CREDITS,
    )


_METHODS: dict[str, Callable[[], PaymentMethod]] = {
    Rail.FAKE: _fake,
    Rail.STRIPE_CHECKOUT: _stripe_checkout,
    STRIPE_X402: _x402,
}
