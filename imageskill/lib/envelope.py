"""The envelope: the one shape of every answer of the API."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja.renderers import BaseRenderer
from ninja.responses import NinjaJSONEncoder

from imageskill.lib.errors import ApiError, wait_s
from imageskill.lib.exact_json import ExactEncoder

EXIT_CODE_HEADER = "x-image-skill-exit-code"
TRACE_HEADER = "x-image-skill-trace-id"
COMMAND_KEY = "x-image-skill-command"


def openapi_command(name: str) -> dict[str, Any]:
    """Return the `openapi_extra` that names the command of the command line for an operation."""
    return {COMMAND_KEY: name}


class EnvelopeRenderer(BaseRenderer):
    """Wraps what a view returns into a success envelope."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> str:
        """Write the envelope as JSON; only successes come this way."""
        return dumps(_envelope(request, data=data, error=None))


def error_response(request: HttpRequest, error: ApiError) -> HttpResponse:
    """Answer with an error: status, exit code, retryability and recovery as its class says."""
    body: dict[str, Any] = {
        "code": error.code,
        "message": error.text,
        "retryable": error.retryable,
    }
    if error.recovery:
        body["recovery"] = error.recovery
    if error.details is not None:
        body["details"] = error.details
    response = HttpResponse(
        dumps(_envelope(request, data=None, error=body)),
        status=error.status,
        content_type="application/json; charset=utf-8",
    )
    response[EXIT_CODE_HEADER] = str(error.exit_code)
    vars(request)["error_code"] = error.code  # for telemetry
    if error.status in {429, 503}:
        response["Retry-After"] = str(wait_s(error.recovery))
    return response


def dumps(document: Any) -> str:
    """Write JSON compactly, with exact decimals as numbers."""
    return json.dumps(document, cls=_Encoder, separators=(",", ":"), ensure_ascii=False)


class _Encoder(ExactEncoder, NinjaJSONEncoder):
    """Writes decimals exactly, and what else an answer may hold as ninja does."""


def _envelope(request: HttpRequest, *, data: Any, error: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "ok": error is None,
        "command": getattr(request, "command", "image-skill"),
        "trace_id": getattr(request, "trace_id", None),
        "actor": getattr(request, "actor", None),
        "data": data,
        "warnings": getattr(request, "warnings", []),
        "error": error,
    }
