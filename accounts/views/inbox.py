"""The unsubscribe page and the development outbox."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts.claims import inboxes
from accounts.mail import outbox


@csrf_exempt  # mail programs post here (RFC 8058); the signed link is the authorization
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, signed: str) -> HttpResponse:
    """Unsubscribe or resubscribe the address that the signed link was sent to."""
    address = inboxes.address_from_unsubscribe(signed)
    if address is None:
        raise Http404
    if request.method == "POST":
        if request.POST.get("again"):
            inboxes.resubscribe(address)
        else:
            inboxes.unsubscribe(address)
        return redirect("claim_stop", signed)
    context = {"address": address, "is_unsubscribed": inboxes.is_unsubscribed(address)}
    return render(request, "accounts/unsubscribe.html", context)


@never_cache
@require_safe
def list_outbox(request: HttpRequest) -> HttpResponse:
    """List the emails that were written to files instead of being sent."""
    _require_outbox()
    return render(request, "accounts/outbox.html", {"mails": outbox.list_mails()})


@never_cache
@require_safe
def show_mail(request: HttpRequest, key: str) -> HttpResponse:
    """Show one email."""
    _require_outbox()
    mail = outbox.find(key)
    if mail is None:
        raise Http404
    return render(request, "accounts/outbox_mail.html", {"mail": mail})


def _require_outbox() -> None:
    if not settings.HAS_OUTBOX_PAGE:
        raise Http404
