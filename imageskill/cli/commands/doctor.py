"""`image-skill doctor`."""

from pathlib import Path
from typing import Any

from imageskill import __version__
from imageskill.cli import envelopes, files, pending_spends, telemetry
from imageskill.cli.addresses import API_URL, SITE_URL
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.errors import RequestFailed
from imageskill.cli.grammar import requests
from imageskill.cli.grammar.requests import EndpointRequest
from imageskill.cli.session import ResolvedToken, Session
from imageskill.cli.transport import http_client

REJECTED = "rejected"
_SOURCES = {
    "stdin": "from --token-stdin",
    "flag": "from --token",
    "env": "from the environment",
    "config": "from the config file",
}


def run(session: Session) -> CommandResult:
    """Check all that a run depends on; a problem is part of the answer, never a failure."""
    swept = (
        pending_spends.delete_expired(session.config_path)
        if session.call.is_on("sweep-in-flight")
        else 0
    )
    open_spends = pending_spends.list_pending(session.config_path)
    server = _check_server(session)
    auth = _check_token(session, is_reachable=server["reachable"])
    return envelopes.success(
        {
            "cli_version": __version__,
            "package": "image-skill",
            "mode": "public_hosted_cli",
            "api_base_url": session.api,
            "hosted_api": server,
            "auth": auth,
            "output": {
                "config_folder": _check_folder(session.config_path.parent),
                "current_folder": _check_folder(Path.cwd()),
            },
            "telemetry": telemetry.status(session.environment),
            "in_flight": {
                "directory": str(pending_spends.folder(session.config_path)),
                "count": len(open_spends),
                "swept_count": swept,
                "entries": [_pending_spend_out(entry) for entry in open_spends],
            },
            "docs": _document_urls(session.api),
        },
        *_warnings(open_spends, auth),
    )


def _document_urls(api: str) -> dict[str, str]:
    site = SITE_URL if api == API_URL else api
    return {
        "skill": f"{site}/skill.md",
        "llms": f"{site}/llms.txt",
        "cli": f"{site}/cli.md",
    }


def _check_server(session: Session) -> dict[str, Any]:
    try:
        answer = http_client.send(session.api, requests.build(session.call))
    except RequestFailed as problem:
        error = envelopes.failure(problem).envelope["error"]
        return {"reachable": False, "status": None, "api_version": None, "error": error}
    return {
        "reachable": answer.is_ok,
        "status": answer.data.get("status"),
        "api_version": answer.data.get("api_version"),
        "error": answer.envelope.get("error"),
    }


def _check_token(session: Session, *, is_reachable: bool) -> dict[str, Any]:
    """Ask the server about the token that a command would send."""
    explicit = session.explicit_token()
    token = session.token(is_required=False)
    return {
        "config_path": str(session.config_path),
        "saved_token": session.config.token is not None,
        "env_token": explicit is not None and explicit.source == "env",
        "saved_for": session.config.api_base_url,
        "token_source": token.source if token else None,
        "token_status": _token_status(session.api, token) if is_reachable else "unknown",
    }


def _token_status(api: str, token: ResolvedToken | None) -> str:
    """Return missing, accepted, rejected or, where the server gave neither answer, unknown."""
    if token is None:
        return "missing"
    try:
        answer = http_client.send(api, EndpointRequest("GET", "/v1/whoami"), token=token.text)
    except RequestFailed:
        return "unknown"
    if answer.is_ok:
        return "accepted"
    return REJECTED if answer.error_code == "AUTH_REQUIRED" else "unknown"


def _check_folder(folder: Path) -> dict[str, Any]:
    """Check the folder, or where it would be made, and leave nothing behind."""
    there = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    try:
        files.check_writable(there)
    except OSError as error:
        return {"path": str(folder), "writable": False, "reason": error.strerror}
    return {"path": str(folder), "writable": True, "reason": None}


def _pending_spend_out(entry: pending_spends.PendingSpend) -> dict[str, Any]:
    return {
        "command": entry.document.get("command"),
        "idempotency_key": entry.document.get("idempotency_key"),
        "job_id": entry.document.get("job_id"),
        "started_at": entry.document.get("started_at"),
        "age_seconds": round(entry.age_s),
        "recover_command": entry.recover_command,
    }


def _warnings(open_spends: list[pending_spends.PendingSpend], auth: dict[str, Any]) -> list[str]:
    warnings = []
    if auth["token_status"] == REJECTED:
        warnings.append(
            f"The server does not accept the token {_SOURCES[auth['token_source']]}: it is wrong, "
            "was replaced or was revoked. Use another one, or sign up again."
        )
    if open_spends:
        count = len(open_spends)
        noun = "request" if count == 1 else "requests"
        warnings.append(f"{count} unfinished {noun}; run recover_command to get the result.")
    return warnings
