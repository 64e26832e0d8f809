"""A small server that answers as the API does, so that the client can be tested alone."""

import hashlib
import json

from imageskill import __version__
from imageskill.dev.standins.messages import StandInRequest, StandInResponse
from imageskill.dev.standins.server import StandIn

TOKEN = "isk_r_0123456789abcdefghijklmnop"
ASSET_ID = "image_0123456789abcdefABCDEF"
JOB_ID = "job_0123456789abcdefABCDEF"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


CONTRACT = b"# Image Skill\n"
MODEL = {
    "id": "local.sketch",
    "supports": ["create"],
    "credits_required": 4.0,
    "media": {"input": {"images": {"required": 0, "max": 0}}, "output": {}},
    "model_parameters": {
        "properties": {"seed": {"type": "integer", "minimum": 0, "maximum": 9, "executable": True}}
    },
}


def envelope(data=None, *, error=None, status=200, exit_code=0, warnings=()):
    body = {
        "ok": error is None,
        "command": "image-skill",
        "trace_id": "trace_" + "0" * 32,
        "actor": None,
        "data": data,
        "warnings": list(warnings),
        "error": error,
    }
    return StandInResponse(body, status, {"x-image-skill-exit-code": str(exit_code)})


def refusal(code, *, status, exit_code, retryable=False):
    error = {"code": code, "message": "No.", "retryable": retryable}
    return envelope(error=error, status=status, exit_code=exit_code)


def hosted_api() -> StandIn:
    api = StandIn("hosted-api")
    api.image = PNG
    api.sha256 = hashlib.sha256(PNG).hexdigest()
    api.images = 1
    api.job_statuses = ["running", "running", "completed"]
    for method, path, route in (
        ("GET", "/healthz", lambda _: envelope({"status": "ok", "api_version": "0.1.0"})),
        ("GET", "/v1/whoami", _whoami),
        ("GET", "/v1/models", lambda _: envelope({"models": [{"id": "local.sketch"}]})),
        ("GET", "/v1/models/local.sketch", lambda _: envelope({"model": MODEL})),
        ("GET", "/v1/guide", _guide),
        ("GET", "/v1/trust", _trust),
        ("GET", "/llms.txt", lambda _: StandInResponse(CONTRACT)),
        ("POST", "/v1/agent-signups", _sign_up),
        ("POST", "/v1/credit-quotes", lambda _: envelope({"quote_id": "quote_1"})),
        ("POST", "/v1/upload", _upload),
    ):
        api.route(method, path)(route)

    api.watch = list  # what to look at while a spend runs

    @api.route("POST", "/v1/(?:create|edit)")
    def spend(request: StandInRequest) -> StandInResponse:
        api.seen = api.watch()
        return envelope(
            {
                "job_id": JOB_ID,
                "job": {"job_id": JOB_ID, "status": "completed"},
                "assets": [_asset(api, request, number) for number in range(api.images)],
            }
        )

    @api.route("GET", r"/v1/jobs/\w+")
    def job(_: StandInRequest) -> StandInResponse:
        status = api.job_statuses.pop(0) if api.job_statuses else "completed"
        return envelope(
            {"request": {"job_id": JOB_ID}, "job": {"job_id": JOB_ID, "status": status}}
        )

    @api.route("GET", r"/v1/assets/\w+")
    def asset(request: StandInRequest) -> StandInResponse:
        return envelope({"request": {}, "asset": _asset(api, request, 0)})

    @api.route("GET", r"/a/.*")
    def media(_: StandInRequest) -> StandInResponse:
        return StandInResponse(api.image, headers={"content-type": "image/png"})

    return api


def _asset(api: StandIn, request: StandInRequest, number: int) -> dict:
    asset_id = ASSET_ID if number == 0 else f"{ASSET_ID}{number}"
    url = f"{request.base_url}/a/{asset_id}.png"
    return {"asset_id": asset_id, "url": url, "sha256": api.sha256}


def _whoami(request: StandInRequest) -> StandInResponse:
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        return refusal("AUTH_REQUIRED", status=401, exit_code=3)
    return envelope({"authenticated": True, "claim_state": "unclaimed"})


def _sign_up(request: StandInRequest) -> StandInResponse:
    wants_token = json.loads(request.body)["return_token"]
    return envelope({"token": TOKEN if wants_token else None, "storage": {}})


def _upload(request: StandInRequest) -> StandInResponse:
    return envelope({"asset": {"asset_id": ASSET_ID}, "upload": {"bytes": len(request.body)}})


def _guide(request: StandInRequest) -> StandInResponse:
    words = "--input IMAGE --prompt PROMPT --json"
    return envelope(
        {
            "stage": "ready_to_create",
            "missing_inputs": ["input"],
            "next_command": f"image-skill edit {words}",
            "next_command_copy_runnable": False,
            "no_spend_next_command": f"image-skill edit --dry-run {words}",
            "recovery": {"message": "Go on.", "then_command": None},
        }
    )


def _trust(request: StandInRequest) -> StandInResponse:
    document = {"key": "llms", "url": f"{request.base_url}/llms.txt"}
    return envelope(
        {
            "contract_version": "image-skill.trust.v1",
            "versions": {"api": __version__, "client": __version__},
            "health": {"status": "ok", "api_version": __version__, "checks": {"worker": "ok"}},
            "documents": [{**document, "sha256": hashlib.sha256(CONTRACT).hexdigest()}],
            "models": {"total": 2, "executable": 1},
            "recent_runs": [{"model": "local.sketch", "last_completed_on": "2026-01-31"}],
        }
    )
