"""`create --guide` and `edit --guide`: the server's guide, with what only the caller has."""

import shlex
from typing import Any

from imageskill.cli.envelopes import CommandResult
from imageskill.cli.grammar import requests
from imageskill.cli.grammar.reading import Call
from imageskill.cli.session import Session
from imageskill.cli.transport import http_client

_PLACES = {"PROMPT": "prompt", "IMAGE": "input"}  # the flag behind each placeholder


def ask(session: Session) -> CommandResult:
    """Ask for the guide, with the token where there is one, and fill its commands in."""
    token = session.token(is_required=False)
    request = requests.build(session.call)
    answer = http_client.send(session.api, request, token=token.text if token else None)
    if answer.is_ok:
        _fill_in(answer.data, session.call)
    return answer


def _fill_in(data: dict[str, Any], call: Call) -> None:
    """Put prompt and image where the commands have placeholders for them."""
    missing = data.get("missing_inputs") or []
    data["missing_inputs"] = [name for name in missing if not call.given.get(name)]
    for name in ("next_command", "no_spend_next_command"):
        data[name] = _filled(str(data.get(name) or ""), call)
    recovery = data.get("recovery") or {}
    if recovery.get("then_command"):
        recovery["then_command"] = _filled(recovery["then_command"], call)
    is_left = any(word in _PLACES for word in shlex.split(data["next_command"]))
    data["next_command_copy_runnable"] = not (data["missing_inputs"] or is_left)


def _filled(command: str, call: Call) -> str:
    words: list[str] = []
    for word in shlex.split(command):
        flag = _PLACES.get(word, "")
        value = call.given.get(flag) if flag else None
        if flag == "prompt" and value is None and call.given.get("prompt-file"):
            words[-1:] = ["--prompt-file", call.given["prompt-file"]]
        elif value is None:
            words.append(word)
        elif str(value).startswith("--"):
            words[-1] = f"{words[-1]}={value}"
        else:
            words.append(str(value))
    return shlex.join(words)
