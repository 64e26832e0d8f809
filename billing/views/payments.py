"""Payment pages and the Stripe webhook endpoint."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from billing.models import AttemptStatus, Environment, PaymentAttempt, UnmatchedPayment
from billing.purchases import checkout, fulfillment, refund_states
from billing.stripe.gateway import InvalidStripeSignature, PaymentProviderFailure
from billing.stripe.ownership import ForeignObject
from billing.webhooks import endpoint
from imageskill.lib import clock
from imageskill.lib.errors import NotFound, RateLimited
from imageskill.lib.redis import ratelimit

CHECKS_PER_MINUTE = 20


class SeeOther(HttpResponseRedirectBase):
    """A redirect that browsers always follow with GET."""

    status_code = 303


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Receive a Stripe event; 2xx means that it is stored."""
    try:
        is_new = endpoint.receive(
            body=request.body, signature=request.headers.get("Stripe-Signature", "")
        )
    except InvalidStripeSignature:
        return JsonResponse({"error": "signature"}, status=400)
    except endpoint.InvalidStripeEvent:
        return JsonResponse({"error": "not an event"}, status=400)
    return JsonResponse({"received": True, "new": is_new})


@never_cache
@require_safe
def pay(request: HttpRequest, payment_attempt_id: str) -> HttpResponse:
    """Redirect an open attempt to Stripe; show the status of any other."""
    attempt = _find(payment_attempt_id)
    if attempt is None:
        return _page(request, None)
    is_open = attempt.status == AttemptStatus.OPEN and attempt.session_expires_at > clock.now()
    if is_open and attempt.checkout_url:
        return SeeOther(attempt.checkout_url)
    return _page(request, attempt)


@never_cache
@require_safe
def paid(request: HttpRequest, payment_attempt_id: str) -> HttpResponse:
    """Return from Stripe: fetch the payment status instead of waiting for the webhook."""
    attempt = _find(payment_attempt_id)
    # An attempt that we took for expired may be paid all the same: Stripe knows.
    if attempt is not None and (attempt.is_payable or attempt.status == AttemptStatus.EXPIRED):
        attempt = _refresh(attempt)
    return _page(request, attempt)


@never_cache
@require_safe
def canceled(request: HttpRequest, payment_attempt_id: str) -> HttpResponse:
    """Return from Stripe without payment; the link still works."""
    return _page(request, _find(payment_attempt_id), is_returned=True)


def _refresh(attempt: PaymentAttempt) -> PaymentAttempt:
    try:
        ratelimit.consume("pay-page", attempt.public_id, limit=CHECKS_PER_MINUTE, per_s=60)
        return fulfillment.fulfill(payment_attempt_id=attempt.public_id)
    except (PaymentProviderFailure, RateLimited, ForeignObject, fulfillment.UnknownAttempt):
        return attempt  # the webhook or the periodic sweep will update it


def _find(payment_attempt_id: str) -> PaymentAttempt | None:
    try:
        return checkout.find(payment_attempt_id)
    except NotFound:
        return None


def _page(
    request: HttpRequest, attempt: PaymentAttempt | None, *, is_returned: bool = False
) -> HttpResponse:
    if attempt is None:
        return render(request, "billing/payment.html", {"state": "unknown"}, status=404)
    state = _state(attempt, is_returned=is_returned)
    context = {
        "state": state,
        "attempt": attempt,
        "quote": attempt.quote,
        "is_live": attempt.environment == Environment.LIVE,
        "reload_s": 3 if state == "waiting" else None,
    }
    return render(request, "billing/payment.html", context)


def _state(attempt: PaymentAttempt, *, is_returned: bool) -> str:
    """Return which text the page shows."""
    if refund_states.returned_as(attempt) == UnmatchedPayment.State.REFUNDED:
        return "refunded"
    if attempt.status == AttemptStatus.OPEN:
        if attempt.session_expires_at <= clock.now():
            return "expired"
        return "returned" if is_returned else "waiting"
    return {
        AttemptStatus.CREATED: "waiting",
        AttemptStatus.PROCESSING: "processing",
        AttemptStatus.SUCCEEDED: "paid",
        AttemptStatus.OVERPAID: "overpaid",
        AttemptStatus.NEEDS_STAFF: "needs_staff",
        AttemptStatus.FAILED: "failed",
        AttemptStatus.CANCELED: "canceled",
    }.get(AttemptStatus(attempt.status), "expired")
