"""Pages for inboxes: the stop link that every mail carries, and the development outbox."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from accounts.claims import inboxes
from accounts.mail import outbox


@csrf_exempt  # mail programs post here by themselves; the signed link is the authority
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, signed: str) -> HttpResponse:
    """Stop (or allow again) mails from agents to the inbox that the link was mailed to."""
    address = inboxes.address_from_unsubscribe(signed)
    if address is None:
        raise Http404
    if request.method == "POST":
        if request.POST.get("again"):
            inboxes.resubscribe(address)
        else:
            inboxes.unsubscribe(address)
        return redirect("claim_stop", signed)
    context = {"address": address, "is_stopped": inboxes.is_unsubscribed(address)}
    return render(request, "accounts/unsubscribe.html", context)


@never_cache
@require_GET
def list_outbox(request: HttpRequest) -> HttpResponse:
    """List the mails that development kept instead of sending."""
    _only_in_development()
    return render(request, "accounts/outbox.html", {"mails": outbox.list_mails()})


@never_cache
@require_GET
def show_mail(request: HttpRequest, key: str) -> HttpResponse:
    """Show one of them."""
    _only_in_development()
    mail = outbox.find(key)
    if mail is None:
        raise Http404
    return render(request, "accounts/outbox_mail.html", {"mail": mail})


def _only_in_development() -> None:
    if not settings.HAS_OUTBOX_PAGE:
        raise Http404
