"""The pages of paying, and the address that Stripe posts to."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from billing.models import AttemptStatus, Environment, PaymentAttempt
from billing.purchases import checkout, fulfillment
from billing.stripe.gateway import ForeignObject, InvalidStripeSignature, PaymentProviderFailure
from billing.webhooks import endpoint
from imageskill.lib import clock, ratelimit
from imageskill.lib.errors import NotFound, RateLimited

CHECKS_PER_MINUTE = 20


class SeeOther(HttpResponseRedirectBase):
    """A redirect that is always followed by GET."""

    status_code = 303


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Take one of Stripe's events; 2xx means that it is stored."""
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
    """Lead an open attempt on to Stripe; say plainly how any other stands."""
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
    """Receive the buyer back from Stripe: ask how it stands rather than wait for the webhook."""
    attempt = _find(payment_attempt_id)
    if attempt is not None and attempt.is_payable:
        attempt = _refresh(attempt)
    return _page(request, attempt)


@never_cache
@require_safe
def canceled(request: HttpRequest, payment_attempt_id: str) -> HttpResponse:
    """Receive a buyer who went back: nothing was paid, and the link still works."""
    return _page(request, _find(payment_attempt_id), went_back=True)


def _refresh(attempt: PaymentAttempt) -> PaymentAttempt:
    try:
        ratelimit.consume("pay-page", attempt.public_id, limit=CHECKS_PER_MINUTE, per_s=60)
        return fulfillment.fulfill(payment_attempt_id=attempt.public_id)
    except (PaymentProviderFailure, RateLimited, ForeignObject, fulfillment.UnknownAttempt):
        return attempt  # the webhook or the sweep will tell; the page shows what is known


def _find(payment_attempt_id: str) -> PaymentAttempt | None:
    try:
        return checkout.find(payment_attempt_id)
    except NotFound:
        return None


def _page(
    request: HttpRequest, attempt: PaymentAttempt | None, *, went_back: bool = False
) -> HttpResponse:
    if attempt is None:
        return render(request, "billing/payment.html", {"state": "unknown"}, status=404)
    state = _state(attempt, went_back=went_back)
    context = {
        "state": state,
        "attempt": attempt,
        "quote": attempt.quote,
        "dollars": f"{attempt.quote.price_cents / 100:.2f}",
        "is_live": attempt.environment == Environment.LIVE,
        "reload_s": 3 if state == "waiting" else None,
    }
    return render(request, "billing/payment.html", context)


def _state(attempt: PaymentAttempt, *, went_back: bool) -> str:
    """Choose what the page says."""
    if attempt.status == AttemptStatus.OPEN:
        if attempt.session_expires_at <= clock.now():
            return "expired"
        return "went_back" if went_back else "waiting"
    return {
        AttemptStatus.CREATED: "waiting",
        AttemptStatus.PROCESSING: "processing",
        AttemptStatus.SUCCEEDED: "paid",
        AttemptStatus.OVERPAID: "overpaid",
        AttemptStatus.NEEDS_STAFF: "needs_staff",
        AttemptStatus.FAILED: "failed",
        AttemptStatus.CANCELED: "canceled",
    }.get(AttemptStatus(attempt.status), "expired")
