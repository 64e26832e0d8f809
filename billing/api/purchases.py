"""Endpoints of buying: payment methods, packs, quotes, purchases, Checkout, status."""

from ninja import Router

from accounts import grants
from accounts.models import Agent
from billing import ledger, pricing, quota
from billing.api import offer_representations
from billing.api import purchase_representations as representations
from billing.api.auth import optional_screened_bearer, screened_bearer
from billing.api.offer_schemas import (
    CustomQuotesOut,
    MethodBoundsOut,
    Methods,
    MethodsNextOut,
    Packs,
)
from billing.api.purchase_schemas import (
    PurchaseIn,
    PurchaseOut,
    QuoteIn,
    QuoteOut,
    SessionOut,
    StatusOut,
)
from billing.models import Environment
from billing.purchases import (
    buyers,
    checkout,
    fake_rail,
    packs,
    payment_methods,
    purchase_status,
    quotes,
)
from billing.purchases.purchase_status import Purchase
from imageskill.lib.envelope import openapi_command
from imageskill.lib.http import ApiRequest

router = Router(auth=screened_bearer, tags=["credits"])


@router.get(
    "/v1/payment-methods",
    auth=optional_screened_bearer,
    response=Methods,
    operation_id="list_payment_methods",
    openapi_extra=openapi_command("image-skill credits methods"),
    summary="List the payment methods, usable here or not",
)
def list_methods(request: ApiRequest) -> Methods:
    """Return every known payment method, and whether and why not it can be used here."""
    methods = payment_methods.all_methods()
    for method in methods:
        if method.is_available:
            _warn(request, method.environment)
    preferred = payment_methods.preferred()
    recommended = None if preferred is None else offer_representations.recommended_quote(preferred)
    return Methods(
        contract_version="image-skill.payment-methods.v1",
        credit_unit_cents=1,
        currency=packs.CURRENCY,
        quote_endpoint="/v1/credit-quotes",
        packs_endpoint="/v1/credit-packs",
        status_endpoint="/v1/credit-purchases/status",
        methods=[offer_representations.method_out(method) for method in methods],
        next_actions=MethodsNextOut(recommended_quote=recommended),
    )


@router.get(
    "/v1/credit-packs",
    auth=optional_screened_bearer,
    response=Packs,
    operation_id="list_credit_packs",
    openapi_extra=openapi_command("image-skill credits packs list"),
    summary="List the packs of credits",
)
def list_packs(request: ApiRequest) -> Packs:
    """Return the packs on offer and the bounds of exact quotes."""
    return Packs(
        credit_unit_cents=1,
        credit_unit_usd=pricing.CREDIT_USD,
        currency=packs.CURRENCY,
        default_pack_id=packs.default_pack_id(),
        packs=[offer_representations.pack_out(pack) for pack in packs.offered()],
        custom_quotes=CustomQuotesOut(
            supported=True, min_credits=packs.MIN_CREDITS, max_credits=packs.MAX_CREDITS
        ),
        custom_quotes_by_method=[
            MethodBoundsOut(
                payment_method=method.method_id,
                supported=method.is_available,
                min_credits=method.min_amount_cents,
                max_credits=method.max_amount_cents,
            )
            for method in payment_methods.all_methods()
        ],
    )


@router.post(
    "/v1/credit-quotes",
    response=QuoteOut,
    operation_id="create_credit_quote",
    openapi_extra=openapi_command("image-skill credits quote"),
    summary="Quote the price of a pack or of an exact number of credits",
)
def create_quote(request: ApiRequest, body: QuoteIn) -> QuoteOut:
    """Create a quote, or return the one of this key and terms; grants nothing."""
    agent: Agent = request.auth
    grants.require(agent, "credits.quote")
    quote = quotes.create(buyer=buyers.agent_buyer(agent), **body.dict())
    answer = representations.quote_out(quote)
    _warn(request, answer.environment)
    return answer


@router.post(
    "/v1/credit-purchases",
    response=PurchaseOut,
    operation_id="create_credit_purchase",
    openapi_extra=openapi_command("image-skill credits fake-purchase"),
    summary="Buy a quote of the fake rail: no money moves",
)
def purchase(request: ApiRequest, body: PurchaseIn) -> PurchaseOut:
    """Grant the quote's credits once."""
    agent: Agent = request.auth
    grants.require(agent, "credits.buy")
    receipt = fake_rail.purchase(buyer=buyers.agent_buyer(agent), **body.dict())
    _warn(request, receipt.environment)
    return representations.purchase_out(receipt)


@router.post(
    "/v1/credit-purchases/stripe-checkout-sessions",
    response=SessionOut,
    operation_id="create_checkout_session",
    openapi_extra=openapi_command("image-skill credits buy"),
    summary="Open a Stripe Checkout session for a quote",
)
def open_session(request: ApiRequest, body: PurchaseIn) -> SessionOut:
    """Open the quote's session, or return the one that is open; grants nothing."""
    agent: Agent = request.auth
    grants.require(agent, "credits.buy")
    attempt = checkout.open_session(buyer=buyers.agent_buyer(agent), **body.dict())
    _warn(request, attempt.environment)
    return representations.session_out(Purchase(attempt.quote, attempt, None), attempt)


@router.post(
    "/v1/credit-purchases/stripe-x402-deposits",
    operation_id="open_x402_deposit",
    openapi_extra=openapi_command("image-skill credits buy"),
    summary="Open a deposit by x402, which is known and not available",
    include_in_schema=False,
)
def open_deposit(request: ApiRequest, body: PurchaseIn) -> None:
    """Refuse, with a payment method that can be used, as long as x402 can't."""
    agent: Agent = request.auth
    grants.require(agent, "credits.buy")
    payment_methods.require(payment_methods.STRIPE_X402)


@router.get(
    "/v1/credit-purchases/status",
    response=StatusOut,
    operation_id="get_credit_purchase_status",
    openapi_extra=openapi_command("image-skill credits status"),
    summary="Show the status of a purchase, by exactly one reference",
)
def show_status(
    request: ApiRequest,
    quote_id: str | None = None,
    payment_attempt_id: str | None = None,
    checkout_session_id: str | None = None,
    receipt_id: str | None = None,
) -> StatusOut:
    """Return a purchase: its state, and every object behind it."""
    agent: Agent = request.auth
    credit_purchase = purchase_status.find(
        organization_id=agent.organization_id,
        quote_id=quote_id,
        payment_attempt_id=payment_attempt_id,
        checkout_session_id=checkout_session_id,
        receipt_id=receipt_id,
    )
    _warn(request, _environment(credit_purchase))
    limits = quota.limits_out(agent, ledger.balances(agent.organization_id))
    return representations.status_out(credit_purchase, limits)


def _environment(credit_purchase: Purchase) -> str:
    if credit_purchase.receipt is not None:
        return credit_purchase.receipt.environment
    if credit_purchase.attempt is not None:
        return credit_purchase.attempt.environment
    return payment_methods.find(credit_purchase.quote.payment_method).environment


def _warn(request: ApiRequest, environment: str) -> None:
    if (
        environment != Environment.LIVE
        and payment_methods.NO_LIVE_MONEY_WARNING not in request.warnings
    ):
        request.warnings.append(payment_methods.NO_LIVE_MONEY_WARNING)
