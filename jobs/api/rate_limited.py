"""How to repeat a create or edit that a rate limit refused before its endpoint was reached."""

from django.http import HttpRequest
from pydantic import ValidationError

from imageskill.lib.errors import RateLimited
from imageskill.lib.postgresql import strict_json
from jobs.api import bodies
from jobs.registry.operations import Operation
from jobs.submission import repeating

_BODIES: dict[str, tuple[type[bodies.OperationBody], Operation]] = {
    "/v1/create": (bodies.CreateBody, "create"),
    "/v1/edit": (bodies.EditBody, "edit"),
}


def add_recovery(error: RateLimited, request: HttpRequest) -> None:
    """Add the key and the command to repeat a live call with; nothing where its body is bad."""
    if request.method != "POST" or request.path_info not in _BODIES:
        return
    body_class, operation = _BODIES[request.path_info]
    try:
        body = body_class.model_validate(strict_json.parse(request.body))
    except (strict_json.InvalidJson, ValidationError):
        return
    if body.dry_run:
        return
    key = body.idempotency_key or request.headers.get("Idempotency-Key") or repeating.new_key()
    repeating.add_recovery(error, body.to_request(operation), key=key)
