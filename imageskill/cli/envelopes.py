"""Envelopes made by the client, in the shape of the server's."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from imageskill.cli.errors import CliError


class CommandResult(NamedTuple):
    """An envelope and the code to exit with; `status` is HTTP's, 0 where no request was made."""

    envelope: dict[str, Any]
    exit_code: int = 0
    status: int = 0
    after_output: Callable[[], None] | None = None  # what to do once the caller has the answer

    @property
    def is_ok(self) -> bool:
        """Whether it is a success."""
        return self.envelope.get("ok") is True

    @property
    def data(self) -> dict[str, Any]:
        """The answer's data; empty where there is none."""
        data = self.envelope.get("data")
        return data if isinstance(data, dict) else {}

    @property
    def error_code(self) -> str:
        """The code of a failure; empty on success."""
        error = self.envelope.get("error")
        return str(error.get("code", "")) if isinstance(error, dict) else ""

    @property
    def error_text(self) -> str:
        """The message of a failure and what to try, as one line; empty on success."""
        error = self.envelope.get("error")
        if not isinstance(error, dict):
            return ""
        command = (error.get("recovery") or {}).get("suggested_command")
        return f"{error.get('message')}" + (f" Try: {command}" if command else "")

    def with_data(self, **data: Any) -> "CommandResult":
        """Return the same answer with fields added to its data."""
        return self._replace(envelope=self.envelope | {"data": self.data | data})

    def with_warnings(self, *warnings: str) -> "CommandResult":
        """Return the same answer with warnings added."""
        kept = self.envelope.get("warnings")
        before = kept if isinstance(kept, list) else []
        return self._replace(envelope=self.envelope | {"warnings": [*before, *warnings]})


def success(data: dict[str, Any], *warnings: str) -> CommandResult:
    """Make a success that needed no server."""
    return CommandResult(_envelope(ok=True, data=data, warnings=list(warnings), error=None))


def failure(problem: CliError) -> CommandResult:
    """Make the envelope of an error of the client."""
    error: dict[str, Any] = {
        "code": problem.code,
        "message": str(problem),
        "retryable": problem.retryable,
    }
    if problem.recovery:
        error["recovery"] = problem.recovery
    return CommandResult(
        _envelope(ok=False, data=None, warnings=[], error=error), problem.exit_code
    )


def _envelope(*, ok: bool, data: Any, warnings: list[str], error: Any) -> dict[str, Any]:
    return {
        "ok": ok,
        "command": "image-skill",
        "trace_id": f"trace_{os.urandom(16).hex()}",
        "actor": None,
        "data": data,
        "warnings": warnings,
        "error": error,
    }
