"""`image-skill doctor`."""

from pathlib import Path
from typing import Any

from imageskill import __version__
from imageskill.cli import envelopes, files, pending_spends, telemetry
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.errors import SITE_URL, RequestFailed
from imageskill.cli.grammar import requests
from imageskill.cli.session import DEFAULT_API, Session
from imageskill.cli.transport import http_client


def run(session: Session) -> CommandResult:
    """Check all that a run depends on; a problem is part of the answer, never a failure."""
    swept = (
        pending_spends.delete_expired(session.config_path)
        if session.call.is_on("sweep-in-flight")
        else 0
    )
    open_spends = pending_spends.list_pending(session.config_path)
    explicit = session.explicit_token()
    return envelopes.success(
        {
            "cli_version": __version__,
            "package": "image-skill",
            "mode": "public_hosted_cli",
            "api_base_url": session.api,
            "hosted_api": _check_server(session),
            "auth": {
                "config_path": str(session.config_path),
                "saved_token": session.config.token is not None,
                "env_token": explicit is not None and explicit.source == "env",
                "saved_for": session.config.api_base_url,
            },
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
        *_warnings(open_spends),
    )


def _document_urls(api: str) -> dict[str, str]:
    site = SITE_URL if api == DEFAULT_API else api
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


def _warnings(open_spends: list[pending_spends.PendingSpend]) -> list[str]:
    if not open_spends:
        return []
    count = len(open_spends)
    noun = "request" if count == 1 else "requests"
    return [f"{count} unfinished {noun}; run recover_command to get the result."]
