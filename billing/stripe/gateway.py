"""Calls to Stripe: the only module that imports its SDK.

Each function is one call over HTTP and must not run inside a transaction. Answers come back as
the small frozen objects of `billing.stripe.objects`; whatever goes wrong is a
`PaymentProviderFailure`.
"""

import io
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import stripe
import structlog
from django.conf import settings

from billing.stripe.objects import (
    BalanceTransaction,
    Charge,
    CheckoutSession,
    Dispute,
    Event,
    FraudWarning,
    Refund,
)
from imageskill.lib.database import forbid_in_transaction
from imageskill.lib.errors import ApiError

log = structlog.get_logger(__name__)

# What the requests and objects here were written and checked against (`make contract-check`).
# Stripe keeps answering in this version whatever the account's default becomes.
API_VERSION = "2026-10-28.endive"
STRIPE_API_URL = "https://api.stripe.com"
SIGNATURE_TOLERANCE_S = 300
INSTALLATION_KEY = "imageskill_installation"
MAX_SEARCHED_SESSIONS = 500


class PaymentProviderFailure(ApiError):
    """The payment provider failed, refused or could not be reached."""

    code = "PAYMENT_PROVIDER_FAILURE"
    status = 502
    exit_code = 7
    retryable = True
    message = "The payment provider did not answer as it should; try again in a moment."

    def __init__(
        self, *, http_status: int | None = None, stripe_code: str = "", is_replay: bool = False
    ) -> None:
        super().__init__(recovery={"retry_after_seconds": 5})
        self.http_status = http_status
        self.stripe_code = stripe_code
        self.is_replay = is_replay

    @property
    def is_refusal(self) -> bool:
        """Whether Stripe understood and said no, so that the same call will not succeed."""
        return (
            self.http_status is not None
            and 400 <= self.http_status < 500
            and (self.http_status not in {409, 429})
        )

    @property
    def is_missing(self) -> bool:
        """Whether Stripe knows no such object."""
        return self.http_status == 404


class InvalidStripeSignature(Exception):
    """The webhook was not signed by Stripe with a secret of ours, or not lately."""


def is_configured() -> bool:
    """Return whether there is a key for Stripe (or its stand-in)."""
    return bool(settings.STRIPE_SECRET_KEY)


def environment() -> str:
    """Return which kind of money moves here: live, test, or stand_in."""
    if settings.STRIPE_API_BASE_URL.rstrip("/") != STRIPE_API_URL:
        return "stand_in"
    return "live" if is_live_key(settings.STRIPE_SECRET_KEY) else "test"


def is_live_key(key: str) -> bool:
    """Return whether the key moves real money."""
    return key.startswith(("sk_live_", "rk_live_"))


def build_metadata(**ids: str) -> dict[str, str]:
    """Return the metadata of an object that we create: our ids, and whose installation it is."""
    return {INSTALLATION_KEY: settings.INSTALLATION_NAME, **ids}


def create_session(
    *,
    reference: str,
    quote_id: str,
    product_name: str,
    amount_cents: int,
    currency: str,
    success_url: str,
    cancel_url: str,
    expires_at: datetime,
    idempotency_key: str,
    customer_email: str = "",
) -> CheckoutSession:
    """Create a Checkout session; the same idempotency key returns the same session again."""
    ours = build_metadata(payment_attempt_id=reference, quote_id=quote_id)
    params: dict[str, Any] = {
        "mode": "payment",
        "client_reference_id": reference,
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": currency.lower(),
                    "unit_amount": amount_cents,
                    "tax_behavior": settings.CHECKOUT_TAX_BEHAVIOR,
                    "product_data": {"name": product_name},
                },
            }
        ],
        "metadata": ours,
        "payment_intent_data": {"metadata": ours, "description": product_name},
        # A converted price could not be compared with the quote.
        "adaptive_pricing": {"enabled": False},
        "success_url": success_url,
        "cancel_url": cancel_url,
        "expires_at": int(expires_at.timestamp()),
        "expand": ["payment_intent"],
        **_collected_fields(),
        **({"customer_email": customer_email} if customer_email else {}),
    }
    answer = _call(
        lambda: _client().v1.checkout.sessions.create(
            params,  # type: ignore[arg-type]
            {"idempotency_key": idempotency_key},
        )
    )
    return CheckoutSession.read(answer)


def _collected_fields() -> dict[str, Any]:
    """Return what the settings have Checkout ask the buyer for, and whether it works out tax."""
    fields: dict[str, Any] = {}
    if settings.CHECKOUT_BILLING_ADDRESS:
        fields["billing_address_collection"] = "required"
    if settings.CHECKOUT_TAX_ID:
        fields["tax_id_collection"] = {"enabled": True}
    if settings.CHECKOUT_AUTOMATIC_TAX:
        fields["automatic_tax"] = {"enabled": True}
    return fields


def retrieve_session(session_id: str) -> CheckoutSession:
    """Read a Checkout session as it is now, with its payment."""
    return CheckoutSession.read(
        _call(
            lambda: _client().v1.checkout.sessions.retrieve(
                session_id,
                {"expand": ["payment_intent.latest_charge", "total_details.breakdown"]},
            )
        )
    )


def expire_session(session_id: str) -> CheckoutSession:
    """Close an open Checkout session, so that nobody can pay it any more."""
    return CheckoutSession.read(_call(lambda: _client().v1.checkout.sessions.expire(session_id)))


def find_session(*, reference: str, since: datetime) -> CheckoutSession | None:
    """Look for a session made for this reference since a moment, among the newest.

    For the one case in which we have no session id: the answer to the call that created it was
    lost, and the idempotency key only repeats the failure.
    """
    page = _list(
        lambda: _client().v1.checkout.sessions.list(
            {"created": {"gte": int(since.timestamp())}, "limit": 100}
        )
    )
    for number, candidate in enumerate(page):
        if candidate.get("client_reference_id") == reference:
            return retrieve_session(candidate["id"])  # a list tells nothing of the payment
        if number >= MAX_SEARCHED_SESSIONS:
            break
    return None


def retrieve_refund(refund_id: str) -> Refund:
    """Read a refund as it is now."""
    return Refund.read(_call(lambda: _client().v1.refunds.retrieve(refund_id)))


def list_refunds(charge_id: str, *, payment_intent_id: str = "") -> list[Refund]:
    """Read all refunds of a charge, or of a payment whose charge is not known, as they are now."""
    of_payment = _payment_filter(charge_id, payment_intent_id)
    refunds = _list(
        lambda: _client().v1.refunds.list({**of_payment, "limit": 100})  # type: ignore[arg-type]
    )
    return [Refund.read(refund) for refund in refunds]


def list_disputes(charge_id: str, *, payment_intent_id: str = "") -> list[Dispute]:
    """Read all disputes of a charge or payment as they are now, with the money they moved."""
    of_payment = _payment_filter(charge_id, payment_intent_id)
    disputes = _list(
        lambda: _client().v1.disputes.list({**of_payment, "limit": 100})  # type: ignore[arg-type]
    )
    return [Dispute.read(dispute) for dispute in disputes]


def _payment_filter(charge_id: str, payment_intent_id: str) -> dict[str, str]:
    return {"charge": charge_id} if charge_id else {"payment_intent": payment_intent_id}


def create_refund(
    *,
    charge_id: str,
    amount_cents: int,
    idempotency_key: str,
    references: Mapping[str, str] | None = None,
) -> Refund:
    """Refund money through Stripe; the ledger moves when Stripe reports the refund, not before."""
    return Refund.read(
        _call(
            lambda: _client().v1.refunds.create(
                {
                    "charge": charge_id,
                    "amount": amount_cents,
                    "reason": "requested_by_customer",
                    "metadata": build_metadata(**(references or {})),
                },
                {"idempotency_key": idempotency_key},
            )
        )
    )


def retrieve_charge(charge_id: str) -> Charge:
    """Read a charge as it is now."""
    return Charge.read(_call(lambda: _client().v1.charges.retrieve(charge_id)))


def retrieve_dispute(dispute_id: str) -> Dispute:
    """Read a dispute as it is now, with the money it moved."""
    return Dispute.read(_call(lambda: _client().v1.disputes.retrieve(dispute_id)))


def update_dispute(*, dispute_id: str, evidence: Mapping[str, str], submit: bool) -> Dispute:
    """Store the evidence at Stripe; `submit` sends it to the bank, which can happen once only."""
    return Dispute.read(
        _call(
            lambda: _client().v1.disputes.update(
                dispute_id,
                {"evidence": dict(evidence), "submit": submit},  # type: ignore[arg-type]
            )
        )
    )


def upload_evidence_file(*, content: bytes, name: str, idempotency_key: str) -> str:
    """Upload a file for the evidence of a dispute; return Stripe's id of it."""
    file = io.BytesIO(content)
    file.name = name
    answer = _call(
        lambda: _client().v1.files.create(
            {"purpose": "dispute_evidence", "file": file},
            {"idempotency_key": idempotency_key},
        )
    )
    return str(answer["id"])


def retrieve_fraud_warning(warning_id: str) -> FraudWarning:
    """Read an early fraud warning as it is now."""
    return FraudWarning.read(
        _call(lambda: _client().v1.radar.early_fraud_warnings.retrieve(warning_id))
    )


def list_balance_transactions(*, since: datetime, until: datetime) -> Iterator[BalanceTransaction]:
    """Read what moved Stripe's balance in [since, until), newest first."""
    created = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
    page = _list(
        lambda: _client().v1.balance_transactions.list(
            {"created": created, "limit": 100}  # type: ignore[arg-type]
        )
    )
    for balance_transaction in page:
        yield BalanceTransaction.read(balance_transaction)


def list_undelivered_events(*, since: datetime, types: list[str]) -> Iterator[Event]:
    """Read the events since a moment that Stripe could not deliver to all endpoints."""
    page = _list(
        lambda: _client().v1.events.list(
            {
                "created": {"gte": int(since.timestamp())},
                "delivery_success": False,
                "types": types,
                "limit": 100,
            }
        )
    )
    for event in page:
        yield Event.read(event)


def verify_webhook(*, body: bytes, signature: str) -> None:
    """Check that Stripe signed exactly this body, lately, with one of our secrets.

    Several secrets may be valid while one is being replaced. A signature from the future is
    refused as an old one is; the SDK looks at one side only. Raises `InvalidStripeSignature`.
    """
    if not signature.isascii():  # the SDK's comparison would raise TypeError
        raise InvalidStripeSignature
    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        try:
            stripe.WebhookSignature.verify_header(body, signature, secret, SIGNATURE_TOLERANCE_S)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            continue
        if _signed_at(signature) <= time.time() + SIGNATURE_TOLERANCE_S:
            return
    raise InvalidStripeSignature


def _signed_at(signature: str) -> int:
    """Read the timestamp of a verified header: the first one, as the SDK does."""
    stamps = (item.partition("=") for item in signature.split(","))
    return next(int(value) for name, _, value in stamps if name == "t")


def _client() -> stripe.StripeClient:
    return _client_for(
        settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE_URL, settings.STRIPE_TIMEOUT_S
    )


@cache
def _client_for(key: str, base_url: str, timeout_s: int) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses=_base_addresses(base_url.rstrip("/")),
        stripe_version=API_VERSION,
        max_network_retries=1,
        http_client=stripe.RequestsClient(timeout=timeout_s),
    )


def _base_addresses(base_url: str) -> Any:
    """Return where to call: Stripe takes files on another host, its stand-in on the same."""
    if base_url == STRIPE_API_URL:
        return {"api": base_url}
    return {"api": base_url, "files": base_url}


def _call(call: Callable[[], Any]) -> dict[str, Any]:
    """Make one call and return its object as a dict; failures are logged without any content."""
    forbid_in_transaction("Stripe")
    try:
        answer: dict[str, Any] = call().to_dict()
    except stripe.StripeError as error:
        raise _failure(error) from None
    return answer


def _list(call: Callable[[], Any]) -> Iterator[dict[str, Any]]:
    forbid_in_transaction("Stripe")
    try:
        for item in call().auto_paging_iter():
            yield item.to_dict()
    except stripe.StripeError as error:
        raise _failure(error) from None


def _failure(error: stripe.StripeError) -> PaymentProviderFailure:
    log.warning(
        "stripe_failed",
        kind=type(error).__name__,
        http_status=error.http_status,
        stripe_code=error.code,
        stripe_request=error.request_id,
    )
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    return PaymentProviderFailure(
        http_status=error.http_status,
        stripe_code=error.code or "",
        is_replay=headers.get("idempotent-replayed") == "true",
    )
