"""`image-skill trust`."""

import hashlib
import time
from typing import Any

from imageskill import __version__
from imageskill.cli import clock, envelopes
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.errors import CliError, RequestFailed
from imageskill.cli.grammar import requests
from imageskill.cli.session import Session
from imageskill.cli.transport import http_client

_PATIENCE_S = 60  # for all documents together
_MAX_BYTES = 16 * 1024 * 1024
_CHUNK = 256 * 1024
_HINTS = {
    "usable": "Start with `image-skill create --guide --json`.",
    "usable_with_warnings": "Read the warnings, then start with `image-skill create --guide`.",
    "inspect_only": "Read the documents and the catalog; no model can make an image here now.",
    "stale_or_mismatched": "Download the client again, and compare the documents before you go on.",
    "unavailable": "Do not count on this server now; `image-skill doctor --json` says more.",
}
_SAFE_COMMANDS = (
    ("check_again", "image-skill trust --json"),
    ("first_image", "image-skill create --guide --prompt PROMPT --json"),
    ("list_models", "image-skill models list --available --json"),
)


class _DocumentUnreadable(CliError):
    """A document can't be downloaded; it becomes part of the answer."""


def run(session: Session) -> CommandResult:
    """Gather the evidence; a server that does not answer is a finding, never a failure."""
    try:
        answer = http_client.send(session.api, requests.build(session.call))
    except RequestFailed as problem:
        answer = envelopes.failure(problem)
    documents = _check_documents(answer.data.get("documents") or [])
    found = {
        "contract_version": answer.data.get("contract_version"),
        "checked_at": clock.now_iso(),
        "subject": {
            "package": "image-skill",
            "cli_version": __version__,
            "mode": "public_hosted_cli",
            "api_base_url": session.api,
        },
        "versions": answer.data.get("versions"),
        "health": answer.data.get("health"),
        "hosted_api": {"reachable": answer.is_ok, "error": answer.envelope.get("error")},
        "hosted_contracts": documents,
        "models": answer.data.get("models"),
        "recent_runs": answer.data.get("recent_runs") or [],
    }
    warnings = _warnings(found)
    return envelopes.success(
        {
            **found,
            "summary": _summary(found, warnings),
            "safe_commands": [
                {"purpose": purpose, "command": command, "mutation": False, "spend": False}
                for purpose, command in _SAFE_COMMANDS
            ],
        },
        *warnings,
    )


def _check_documents(named: list[dict[str, Any]]) -> dict[str, Any]:
    """Download each document and compare its hash with the one that the API names."""
    give_up_at = time.monotonic() + _PATIENCE_S
    checked = [_check_document(document, give_up_at) for document in named]
    states = {document["status"] for document in checked} or {"unreachable"}
    worst = next((name for name in ("mismatched", "unreachable") if name in states), "verified")
    return {"status": worst, "contracts": checked}


def _check_document(document: dict[str, Any], give_up_at: float) -> dict[str, Any]:
    url, expected = str(document.get("url")), document.get("sha256")
    out = {"key": document.get("key"), "url": url, "expected_sha256": expected}
    try:
        digest, size = _download(url, give_up_at)
    except _DocumentUnreadable as problem:
        return {
            **out,
            "status": "unreachable",
            "sha256": None,
            "bytes": None,
            "error": str(problem),
        }
    status = "verified" if digest == expected else "mismatched"
    return {**out, "status": status, "sha256": digest, "bytes": size, "error": None}


def _download(url: str, give_up_at: float) -> tuple[str, int]:
    if time.monotonic() > give_up_at:
        raise _DocumentUnreadable("The time for all documents was up.")
    download = http_client.open_url(url, problem=_DocumentUnreadable)
    digest, size = hashlib.sha256(), 0
    try:
        while chunk := download.response.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if size > _MAX_BYTES:
                raise _DocumentUnreadable("The document is too large.")
    except (OSError, ValueError) as error:
        raise _DocumentUnreadable(http_client.describe_failure(error)) from None
    finally:
        download.connection.close()
    return digest.hexdigest(), size


def _warnings(found: dict[str, Any]) -> list[str]:
    if not found["hosted_api"]["reachable"]:
        return [f"The server does not answer: {found['hosted_api']['error']['message']}"]
    documents = found["hosted_contracts"]["contracts"]
    served, models = found["versions"]["client"], found["models"]
    tests = (
        (found["health"]["status"] != "ok", _describe_health(found["health"])),
        (served != __version__, f"This client is {__version__}; the server hands out {served}."),
        *(
            (one["status"] != "verified", f"The document {one['key']} is {one['status']}.")
            for one in documents
        ),
        (not models["executable"], "No model can run here now."),
        (not found["recent_runs"], "No model has made an image here lately."),
    )
    return [text for is_so, text in tests if is_so]


def _describe_health(health: dict[str, Any]) -> str:
    down = [name for name, state in (health.get("checks") or {}).items() if state != "ok"]
    return f"The service is {health['status']}; down: {', '.join(down) or 'unknown'}."


def _summary(found: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    status = _status(found, warnings)
    return {"status": status, "selection_hint": _HINTS[status], "top_warnings": warnings[:5]}


def _status(found: dict[str, Any], warnings: list[str]) -> str:
    if not found["hosted_api"]["reachable"]:
        return "unavailable"
    if found["hosted_contracts"]["status"] == "mismatched":
        return "stale_or_mismatched"
    if not found["models"]["executable"]:
        return "inspect_only"
    return "usable_with_warnings" if warnings else "usable"
