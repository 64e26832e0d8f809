"""Format a `Call` as a command line, which parses to the same call."""

import json
import shlex
from typing import Any

from imageskill.cli.grammar.reading import Call
from imageskill.cli.grammar.shared_flags import GLOBAL
from imageskill.cli.grammar.spec import JSON, SWITCH, WORDS, Flag

_SECRET = {"token", "token-stdin"}


def format_arguments(call: Call) -> list[str]:
    """Write the arguments after the command's words; tokens are left out, --json comes last."""
    written: list[str] = []
    for flag in (*call.command.flags, *GLOBAL):
        if flag.name in call.given and flag.name not in {*_SECRET, "json"}:
            written += _format_flag(flag, call.given[flag.name])
    return [*written, "--json"]


def format_line(words: tuple[str, ...], arguments: list[str]) -> str:
    """Write a command line that a shell takes."""
    return shlex.join(["image-skill", *words, *arguments])


def _format_flag(flag: Flag, value: Any) -> list[str]:
    if flag.kind == SWITCH:
        return [f"--{flag.name}"] if value else []
    return [
        part
        for one in (value if flag.is_repeatable else [value])
        for part in _with_value(flag.name, _as_text(flag, one))
    ]


def _with_value(name: str, text: str) -> list[str]:
    return [f"--{name}={text}"] if text.startswith("--") else [f"--{name}", text]


def _as_text(flag: Flag, value: Any) -> str:
    if flag.kind == JSON:
        return json.dumps(value, ensure_ascii=False)
    if flag.kind == WORDS:
        return ",".join(value)
    return str(value)
