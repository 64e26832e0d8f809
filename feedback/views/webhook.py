"""The endpoint of GitHub's webhook."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from feedback.github_queue import client, github_events


@csrf_exempt
@require_POST
def github_webhook(request: HttpRequest) -> HttpResponse:
    """Receive one of GitHub's events; 2xx means that it is stored."""
    try:
        is_new = github_events.receive(
            body=request.body,
            signature=request.headers.get("X-Hub-Signature-256", ""),
            event=request.headers.get("X-GitHub-Event", ""),
            delivery_id=request.headers.get("X-GitHub-Delivery", ""),
        )
    except client.InvalidGithubSignature:
        return JsonResponse({"error": "signature"}, status=400)
    except github_events.InvalidGithubEvent:
        return JsonResponse({"error": "not an event"}, status=400)
    return JsonResponse({"received": True, "new": is_new})
