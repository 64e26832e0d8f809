"""The help, made from the command table."""

from typing import Any

from imageskill.cli.errors import DOCS_URL, InvalidCommandLine
from imageskill.cli.grammar import table
from imageskill.cli.grammar.spec import Command, Flag


def explain(words: tuple[str, ...]) -> dict[str, Any]:
    """Explain one command, or list those that begin with the words; raises InvalidCommandLine."""
    command = table.find(words)
    relatives = table.starting_with(words) if words else list(table.COMMANDS)
    if command is not None and len(relatives) <= 1:
        return _command_help(command)
    if not relatives:
        raise _unknown_command(words)
    return {
        "usage": " ".join(("image-skill", *words, "COMMAND --json")),
        "docs_url": DOCS_URL,
        "commands": [
            {"name": " ".join(one.words), "usage": one.usage, "summary": one.summary}
            for one in relatives
        ],
    }


def _unknown_command(words: tuple[str, ...]) -> InvalidCommandLine:
    similar = table.similar(list(words))
    if similar is None:
        return InvalidCommandLine("Unknown command.", suggested_command="image-skill help --json")
    return InvalidCommandLine(
        f"Unknown command. Did you mean `{similar.label}`?",
        suggested_command=" ".join(("image-skill help", *similar.words, "--json")),
    )


def _command_help(command: Command) -> dict[str, Any]:
    return {
        "usage": command.usage,
        "summary": command.summary,
        "notes": command.notes or None,
        "docs_url": f"{DOCS_URL}#{command.anchor}",
        "flags": [_flag_help(flag) for flag in command.flags if not flag.is_hidden],
        "examples": list(command.examples),
    }


def _flag_help(flag: Flag) -> dict[str, Any]:
    return {
        "name": f"--{flag.name}",
        "value": flag.value or None,
        "required": flag.is_required,
        "repeatable": flag.is_repeatable,
        "default": flag.default,
        "choices": list(flag.choices),
        "help": flag.help,
    }
