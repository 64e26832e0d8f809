"""The product's addresses, and bare views to compare with."""

from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from accounts.models import Organization
from billing.models import StripeEvent
from imageskill.lib import clock, ids
from imageskill.urls import urlpatterns as product


def one_row(request: HttpRequest, key: int) -> JsonResponse:
    """Read one row by its key, through the same pool and the same middleware."""
    return JsonResponse({"public_id": Organization.objects.get(pk=key).public_id})


@csrf_exempt
def one_insert(request: HttpRequest) -> JsonResponse:
    """Insert one row of the webhook inbox, and nothing else."""
    now = clock.now()
    event = StripeEvent.objects.create(
        event_id=ids.random_text(24),
        type="bench",
        is_live_mode=False,
        payload={"size": len(request.body)},
        state=StripeEvent.State.IGNORED,
        created_at=now,
        next_attempt_at=now,
    )
    return JsonResponse({"id": event.pk})


urlpatterns = [
    path("bench/organizations/<int:key>", one_row),
    path("bench/inserts", one_insert),
    *product,
]
