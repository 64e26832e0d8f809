"""Commands that answers suggest: each runs in our command line and in the public client's.

`Caller` checks every answer of every test, so whatever an endpoint can suggest is checked where
that is tested.
"""

import shlex
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from imageskill.cli.grammar import reading
from imageskill.cli.grammar.shared_flags import GLOBAL
from imageskill.cli.grammar.spec import SWITCH

# What the public client of generation 0.1.70 reads, by command. It ignores other flags, except
# where it reads none; a switch takes the next word for its value unless that is a flag.
PUBLIC_CLIENT: dict[str, set[str]] = {
    "activity list": {"limit", "subject"},
    "activity show": {"reference"},
    "assets get": {"id", "output", "overwrite"},
    "assets show": {"id"},
    "capabilities list": set(),
    "capabilities show": set(),
    "claim request": {"contact"},
    "create": {
        *("accept-unknown-cost", "aspect-ratio", "dry-run", "element-frontal"),
        *("element-reference", "guide", "idempotency-key", "intent"),
        *("max-estimated-usd-per-image", "model", "model-parameters-json", "output-count"),
        *("prompt", "prompt-file", "provider", "reference-image"),
    },
    "credits buy": {"idempotency-key", "provider", "quote-id"},
    "credits methods": set(),
    "credits packs list": set(),
    "credits quote": {"credits", "idempotency-key", "pack", "payment-method"},
    "credits status": {"checkout-session-id", "payment-attempt-id", "quote-id", "receipt-id"},
    "doctor": {"sweep-in-flight"},
    "edit": {
        *("accept-unknown-cost", "aspect-ratio", "dry-run", "element-frontal"),
        *("element-reference", "guide", "idempotency-key", "input", "intent", "mask"),
        *("max-estimated-usd-per-image", "model", "model-parameters-json", "output-count"),
        *("prompt", "prompt-file", "provider", "reference-image"),
    },
    "help": set(),
    "jobs show": {"job-id"},
    "jobs wait": {"job-id", "poll-interval-ms", "timeout-ms"},
    "models list": {
        *("available", "catalog-only", "details", "executable", "modality", "operation"),
        *("provider", "query", "summary"),
    },
    "models show": set(),
    "quota": set(),
    "signup": {
        *("agent", "agent-contact", "agent-name", "discovery-source", "human-email", "no-save"),
        *("runtime", "save", "show-token"),
    },
    "trust": set(),
    "usage quota": set(),
    "whoami": set(),
}
# What its commands need; any other error would be its own and never reach us.
NEEDED_BY_PUBLIC_CLIENT: dict[str, set[str]] = {
    "claim request": {"contact"},
    "credits buy": {"idempotency-key", "provider", "quote-id"},
    "credits quote": {"payment-method"},
    "edit": {"input"},
    "signup": {"agent", "agent-name", "runtime"},
}
# Only who chose the fake rail in our own client is led to it; and terms that it can't carry.
_OURS_ALONE = {"credits fake-purchase"}
_IGNORED = {"max-usd", "output-json"}
_PLACES_OF_COMMANDS = {"next_actions", "top_up"}


def check(answer: Any) -> None:
    """Assert that every suggested command of an answer runs; `answer` is any part of it."""
    for line in _suggested(answer):
        check_command(line)


def check_command(line: str) -> None:
    """Assert that one command line runs in both clients."""
    words = shlex.split(line)
    assert words[0] == "image-skill", line
    call = reading.parse(words[1:])
    name = " ".join(call.command.words)
    if name in _OURS_ALONE:
        return
    assert name in PUBLIC_CLIENT, line
    given = set(call.given) - {"json"}
    written = {word[2:].partition("=")[0] for word in words if word.startswith("--")}
    unknown = given.intersection(written) - PUBLIC_CLIENT[name] - _IGNORED
    assert not unknown, f"{line}: {unknown}"
    missing = NEEDED_BY_PUBLIC_CLIENT.get(name, set()) - given
    assert not missing, f"{line}: needs {missing}"
    flags = (*call.command.flags, *GLOBAL)
    switches = {f"--{flag.name}" for flag in flags if flag.kind == SWITCH}
    for word, after in pairwise(words):
        assert word not in switches or after.startswith("--"), line


def _suggested(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for one in part:
            yield from _suggested(one)
    elif isinstance(part, dict):
        for name, value in part.items():
            if name == "suggested_command":
                yield from [value] if value else []
            elif name in _PLACES_OF_COMMANDS:
                yield from _commands(value)
            else:
                yield from _suggested(value)


def _commands(part: Any) -> Iterator[str]:
    """Find each text that is a command, whatever its name."""
    if isinstance(part, str) and part.startswith("image-skill "):
        yield part
    elif isinstance(part, list | dict):
        for one in part.values() if isinstance(part, dict) else part:
            yield from _commands(one)
