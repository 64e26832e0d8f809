"""Unfinished requests that spend credits: recorded before they are sent, deleted once settled.

One file each, beside the config file, readable by its owner alone: it holds the whole command,
prompt included, since only the same terms with the same key return the first result again.
"""

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from imageskill.cli import files
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.grammar import writing

SCHEMA = "image-skill.in-flight-spend.v1"
MAX_AGE_S = 24 * 60 * 60
_TERMINAL = {"completed", "failed", "canceled"}
# Failures from the server after which the job is over, though it answers with a 5xx.
_SETTLED = {
    "PROVIDER_FAILURE",
    "PROVIDER_UNAVAILABLE",
    "SERVICE_UNAVAILABLE",
}


class PendingSpend(NamedTuple):
    """One unfinished request, as its file records it."""

    file: Path
    document: dict[str, Any]

    @property
    def age_s(self) -> float:
        """Seconds since it began."""
        started = self.document.get("started_at_s")
        return max(0.0, time.time() - (started or self.file.stat().st_mtime))

    @property
    def recover_command(self) -> str:
        """The command that returns its result: waiting for the job, or the same call again."""
        job_id = self.document.get("job_id")
        if job_id:
            server = _server_flag(self.document)
            return writing.format_line(("jobs", "wait"), [job_id, *server, "--json"])
        return str(self.document["recover_command"])


def folder(config_path: Path) -> Path:
    """Return the folder of the records."""
    return config_path.parent / "in-flight"


def add(
    config_path: Path, *, words: tuple[str, ...], arguments: list[str], key: str, server: str | None
) -> PendingSpend:
    """Record a request that is about to be sent; raises OSError."""
    document = {
        "schema": SCHEMA,
        "command": " ".join(("image-skill", *words)),
        "operation": words[0],
        "idempotency_key": key,
        "argv": arguments,
        "recover_command": writing.format_line(words, arguments),
        "started_at": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "started_at_s": int(time.time()),
        "api_base_url": server,
    }
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    entry = PendingSpend(folder(config_path) / f"{name}.json", document)
    _write(entry)
    return entry


def settle(entry: PendingSpend, answer: CommandResult) -> None:
    """Delete the record once the outcome is known; add the job where it still runs."""
    if _is_final(answer):
        entry.file.unlink(missing_ok=True)
    elif job_id := answer.data.get("job_id"):
        _write(entry._replace(document=entry.document | {"job_id": job_id}))


def settle_job(config_path: Path, answer: CommandResult) -> None:
    """Delete the record of a job that has ended."""
    job = answer.data.get("job")
    if not isinstance(job, dict) or job.get("status") not in _TERMINAL:
        return
    for entry in list_pending(config_path):
        if entry.document.get("job_id") == job.get("job_id"):
            entry.file.unlink(missing_ok=True)


def list_pending(config_path: Path) -> list[PendingSpend]:
    """List the unfinished requests, oldest first; other files are skipped."""
    return sorted(_read_all(config_path), key=lambda entry: -entry.age_s)


def delete_expired(config_path: Path) -> int:
    """Delete records older than a day; return how many."""
    old = [entry for entry in list_pending(config_path) if entry.age_s > MAX_AGE_S]
    for entry in old:
        entry.file.unlink(missing_ok=True)
    return len(old)


def _is_final(answer: CommandResult) -> bool:
    if answer.is_ok:
        job = answer.data.get("job")
        status = job.get("status") if isinstance(job, dict) else None
        return answer.status != 202 and (status is None or status in _TERMINAL)
    if answer.error_code == "IDEMPOTENCY_CONFLICT":
        return False  # the key's first call may still be unfinished
    return 400 <= answer.status < 500 or answer.error_code in _SETTLED


def _read_all(config_path: Path) -> Iterator[PendingSpend]:
    for file in folder(config_path).glob("*.json"):
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if (
            isinstance(document, dict)
            and document.get("schema") == SCHEMA
            and isinstance(document.get("recover_command"), str)
        ):
            yield PendingSpend(file, document)


def _write(entry: PendingSpend) -> None:
    files.write_private(entry.file, json.dumps(entry.document, indent=2) + "\n")


def _server_flag(document: dict[str, Any]) -> list[str]:
    server = document.get("api_base_url")
    return ["--api-base-url", server] if isinstance(server, str) else []
