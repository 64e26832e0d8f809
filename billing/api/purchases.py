"""Endpoints of buying: ways to pay, packs, quotes, purchases, Checkout, status."""

from typing import Any

from ninja import Router

from accounts import grants
from accounts.models import Agent
from billing import ledger, quota
from billing.api import purchase_representations as shapes
from billing.api.auth import optional_screened_bearer, screened_bearer
from billing.api.purchase_schemas import (
    Methods,
    Packs,
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
    openapi_extra=openapi_command("image-skill credits methods"),
    summary="List the ways to pay, usable here or not",
)
def list_methods(request: ApiRequest) -> dict[str, Any]:
    """Answer with every way to pay that is known and the truth about each."""
    methods = payment_methods.all_methods()
    usable = [method for method in methods if method.is_available]
    for method in usable:
        _warn(request, method.environment)
    preferred = payment_methods.preferred()
    return {
        "contract_version": "image-skill.payment-methods.v1",
        "credit_unit_cents": 1,
        "currency": packs.CURRENCY,
        "quote_endpoint": "/v1/credit-quotes",
        "packs_endpoint": "/v1/credit-packs",
        "status_endpoint": "/v1/credit-purchases/status",
        "methods": [shapes.method_out(method) for method in methods],
        "next_actions": {
            "recommended_quote": None if preferred is None else shapes.recommended_quote(preferred)
        },
    }


@router.get(
    "/v1/credit-packs",
    auth=optional_screened_bearer,
    response=Packs,
    openapi_extra=openapi_command("image-skill credits packs list"),
    summary="List the packs of credits",
)
def list_packs(request: ApiRequest) -> dict[str, Any]:
    """Answer with the packs on offer and the bounds of exact quotes."""
    return {
        "credit_unit_cents": 1,
        "credit_unit_usd": quota.CREDIT_USD,
        "currency": packs.CURRENCY,
        "default_pack_id": packs.default_pack_id(),
        "packs": [packs.pack_out(pack) for pack in packs.offered()],
        "custom_quotes": {
            "supported": True,
            "min_credits": packs.MIN_CREDITS,
            "max_credits": packs.MAX_CREDITS,
        },
    }


@router.post(
    "/v1/credit-quotes",
    response=QuoteOut,
    openapi_extra=openapi_command("image-skill credits quote"),
    summary="Ask for the price of a pack or of an exact number of credits",
)
def create_quote(request: ApiRequest, body: QuoteIn) -> dict[str, Any]:
    """Make a quote, or give the one of this key and terms; grants nothing."""
    agent: Agent = request.auth
    grants.require(agent, "credits.quote")
    quote = quotes.create(buyer=buyers.agent_buyer(agent), **body.dict())
    answer = shapes.quote_out(quote)
    _warn(request, answer["environment"])
    return answer


@router.post(
    "/v1/credit-purchases",
    response=PurchaseOut,
    openapi_extra=openapi_command("image-skill credits fake-purchase"),
    summary="Buy a quote of the fake rail: no money moves",
)
def purchase(request: ApiRequest, body: PurchaseIn) -> dict[str, Any]:
    """Grant the quote's credits once."""
    agent: Agent = request.auth
    grants.require(agent, "credits.buy")
    receipt = fake_rail.purchase(buyer=buyers.agent_buyer(agent), **body.dict())
    _warn(request, receipt.environment)
    return shapes.purchase_out(receipt)


@router.post(
    "/v1/credit-purchases/stripe-checkout-sessions",
    response=SessionOut,
    openapi_extra=openapi_command("image-skill credits buy"),
    summary="Open a Stripe Checkout session for a quote",
)
def open_session(request: ApiRequest, body: PurchaseIn) -> dict[str, Any]:
    """Open the quote's session or give the one that is open; grants nothing."""
    agent: Agent = request.auth
    grants.require(agent, "credits.buy")
    attempt = checkout.open_session(buyer=buyers.agent_buyer(agent), **body.dict())
    _warn(request, attempt.environment)
    return shapes.session_out(attempt, state=Purchase(attempt.quote, attempt, None).state)


@router.get(
    "/v1/credit-purchases/status",
    response=StatusOut,
    openapi_extra=openapi_command("image-skill credits status"),
    summary="Show how a purchase stands, by exactly one reference",
)
def show_status(
    request: ApiRequest,
    quote_id: str | None = None,
    payment_attempt_id: str | None = None,
    checkout_session_id: str | None = None,
    receipt_id: str | None = None,
) -> dict[str, Any]:
    """Answer with the state and everything behind it."""
    agent: Agent = request.auth
    credit_purchase = purchase_status.find(
        organization_id=agent.organization_id,
        quote_id=quote_id,
        payment_attempt_id=payment_attempt_id,
        checkout_session_id=checkout_session_id,
        receipt_id=receipt_id,
    )
    _warn(request, _environment(credit_purchase))
    balances = ledger.balances(agent.organization_id)
    return shapes.status_out(credit_purchase) | {"limits": quota.limits_out(agent, balances)}


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
