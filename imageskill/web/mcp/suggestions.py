"""Suggested commands of an answer, as tool calls: a model that uses tools has no shell."""

import shlex
from typing import Any

from imageskill.cli.grammar import reading
from imageskill.cli.grammar.reading import Call, UsageError
from imageskill.web.mcp import tools

_SUGGESTION = "suggested_command"


def as_tool_calls(value: Any, *, runs_locally: bool) -> Any:
    """Return part of an answer with each command written as `{tool, arguments}`.

    A suggestion's tool and arguments stand beside its other fields. A command that is no tool
    is left out, except on the caller's own machine, where a shell may run it.
    """
    if isinstance(value, list):
        return [as_tool_calls(part, runs_locally=runs_locally) for part in value]
    if not isinstance(value, dict):
        return value
    written: dict[str, Any] = {}
    for name, part in value.items():
        command = _parse(part)
        if command is None:
            written[name] = as_tool_calls(part, runs_locally=runs_locally)
            continue
        call = _tool_call(command, runs_locally=runs_locally)
        if call is None:
            written |= {name: part} if runs_locally else {}
        elif name == _SUGGESTION:
            written |= call
        else:
            written[name.replace("command", "call")] = call
    return written


def _parse(value: Any) -> Call | None:
    """Return the command that a text is, as answers write them; None for any other value."""
    if not (isinstance(value, str) and value.startswith("image-skill ")):
        return None
    try:
        return reading.parse(shlex.split(value)[1:]) if value.endswith("--json") else None
    except (UsageError, ValueError):
        return None


def _tool_call(call: Call, *, runs_locally: bool) -> dict[str, Any] | None:
    flags = tools.arguments_of(call.command, runs_locally=runs_locally)
    if flags is None:
        return None
    arguments = {
        name: call.given[flag.name] for name, flag in flags.items() if flag.name in call.given
    }
    return {"tool": tools.tool_name(call.command), "arguments": arguments}
