"""Parse a command line into a `Call`, or raise what is wrong with it."""

from difflib import get_close_matches
from typing import Any, NamedTuple

from imageskill.cli.grammar import table, values
from imageskill.cli.grammar.shared_flags import GLOBAL
from imageskill.cli.grammar.spec import SWITCH, Command, Flag, Rule

_GLOBAL = {flag.name: flag for flag in GLOBAL}
_HELP = {"-h", "--help"}
_VERSION = {"-v", "-V", "--version"}


class Call(NamedTuple):
    """A command with the values that were given, by flag name."""

    command: Command
    words: tuple[str, ...]  # as typed: an alias keeps its own name
    given: dict[str, Any]

    @property
    def label(self) -> str:
        """The name that the envelope carries."""
        return " ".join(("image-skill", *self.words))

    def get(self, name: str) -> Any:
        """Return a flag's value, or its default."""
        return self.given[name] if name in self.given else self.command.named(name).default

    def is_on(self, name: str) -> bool:
        """Return whether a switch was given."""
        return self.given.get(name) is True

    def with_values(self, **changes: Any) -> "Call":
        """Return the same call with other values (None: not given); `_` in names stands for `-`."""
        merged = self.given | {name.replace("_", "-"): value for name, value in changes.items()}
        return self._replace(given={name: v for name, v in merged.items() if v is not None})


class UsageError(Exception):
    """The command line is invalid."""

    def __init__(
        self,
        message: str,
        *,
        label: str = "image-skill",
        command: Command | None = None,
        flags: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.label = label
        self.command = command
        self.flags = flags


def parse(arguments: list[str]) -> Call:
    """Parse the command line; raises `UsageError`."""
    leading = [one for one in arguments[:1] if one == "--json"]
    arguments = arguments[len(leading) :] + leading
    if not arguments or arguments[0] == "--json" or arguments[0] in _HELP:
        arguments = ["help", *arguments[1:], *arguments[:1]] if arguments else ["help"]
        arguments = [one for one in arguments if one not in _HELP]
    if arguments[0] in _VERSION:
        arguments = ["version", *arguments[1:]]
    arguments = table.without_modality(arguments)
    found = table.longest_match(arguments)
    if found is None:
        return _parse_without_command(arguments)
    command, words = found
    reader = _ArgumentParser(command, words)
    reader.read(arguments[len(words) :])
    if reader.wants_help:
        return _help_command(words, reader.given)
    reader.check()
    return Call(command, words, reader.given)


def _parse_without_command(arguments: list[str]) -> Call:
    words = tuple(one for one in arguments[:3] if not one.startswith("-"))
    if _HELP & set(arguments):
        return _help_command(words, {"json": True} if "--json" in arguments else {})
    relatives = table.starting_with(words[:1]) if words else []
    if relatives and len(words) > 1 and (similar := table.similar(arguments)):
        raise UsageError(
            f"Unknown subcommand. Did you mean `{similar.label}`?",
            label=f"image-skill {words[0]}",
            command=similar,
        )
    if relatives:
        names = ", ".join(" ".join(one.words) for one in relatives)
        raise UsageError(
            f"Missing subcommand; choose from: {names}.",
            label=f"image-skill {words[0]}",
            command=relatives[0],
        )
    raise _unknown_command(arguments)


def _unknown_command(arguments: list[str]) -> UsageError:
    similar = table.similar(arguments)
    if similar is None:
        return UsageError("Unknown command; `image-skill help --json` lists all commands.")
    return UsageError(f"Unknown command. Did you mean `{similar.label}`?", command=similar)


def _help_command(words: tuple[str, ...], given: dict[str, Any]) -> Call:
    command = table.find(("help",))
    assert command is not None
    kept = {name: value for name, value in given.items() if name == "json"}
    return Call(command, ("help",), kept | {"command": list(words)})


class _ArgumentParser:
    """Parses the flags of one command."""

    def __init__(self, command: Command, words: tuple[str, ...]) -> None:
        self.command = command
        self.words = words
        self.label = " ".join(("image-skill", *words))
        self.given: dict[str, Any] = {}
        self.wants_help = False

    def read(self, arguments: list[str]) -> None:
        waiting = list(reversed(arguments))
        while waiting:
            text = waiting.pop()
            if text in _HELP:
                self.wants_help = True
            elif text.startswith("--") and text != "--":
                self._flag(text, waiting)
            else:
                self._positional(text)

    def _flag(self, text: str, waiting: list[str]) -> None:
        name, has_value, attached = text[2:].partition("=")
        flag = self.command.flag(name) or _GLOBAL.get(name)
        if flag is None:
            raise self._error(
                f"Unknown option --{_printable_name(name)}.{self._similar_flag(name)}"
            )
        if flag.kind == SWITCH:
            self._switch(flag, attached if has_value else None, waiting)
        elif has_value:
            self._set(flag, attached)
        elif waiting and not waiting[-1].startswith("--"):
            self._set(flag, waiting.pop())
        else:
            hint = f"; a value that begins with -- is written --{flag.name}=VALUE" * bool(waiting)
            raise self._error(f"--{flag.name} needs a value{hint}.", flag)

    def _similar_flag(self, name: str) -> str:
        known = [one.name for one in (*self.command.flags, *GLOBAL) if not one.is_hidden]
        found = get_close_matches(name, known, n=1)
        return f" Did you mean --{found[0]}?" if found else ""

    def _switch(self, flag: Flag, attached: str | None, waiting: list[str]) -> None:
        if attached is None and waiting and waiting[-1] in {"true", "false"}:
            attached = waiting.pop()
        if attached not in {None, "true", "false"}:
            raise self._error(f"--{flag.name} takes no value.", flag)
        self.given[flag.name] = attached != "false"

    def _positional(self, text: str) -> None:
        flag = next((one for one in self.command.flags if one.is_positional), None)
        if flag is None or (flag.name in self.given and not flag.is_repeatable):
            raise self._unexpected(text)
        self._set(flag, text)

    def _unexpected(self, text: str) -> UsageError:
        """Refuse a value that the command takes none of: perhaps a longer command's last word."""
        longer = {one.words[-1]: one for one in table.starting_with(self.words)}
        found = get_close_matches(text, longer, n=1)
        if not found or longer[found[0]].words == self.words:
            return self._error("Unexpected value; this command takes no further argument.")
        similar = longer[found[0]]
        message = f"Unknown subcommand. Did you mean `{similar.label}`?"
        return UsageError(message, label=self.label, command=similar)

    def _set(self, flag: Flag, text: str) -> None:
        if not text.strip():
            raise self._error(f"--{flag.name} must not be empty.", flag)
        try:
            value = values.parse(flag, text)
        except values.InvalidValue as error:
            raise self._error(f"--{flag.name} {error}.", flag) from None
        if flag.is_repeatable:
            self.given.setdefault(flag.name, []).append(value)
        elif self.given.setdefault(flag.name, value) != value:
            raise self._error(f"--{flag.name} is given twice, with different values.", flag)

    def check(self) -> None:
        is_waived = any(
            flag.waives_requirements and self.given.get(flag.name) for flag in self.command.flags
        )
        missing = [
            flag.name
            for flag in self.command.flags
            if flag.is_required and self.given.get(flag.name) in (None, False)
        ]
        if missing and not is_waived:
            raise self._error(f"Missing {_join_names(missing)}.", *missing)
        for rule in self.command.rules:
            self._check_rule(rule, is_waived=is_waived)

    def _check_rule(self, rule: Rule, *, is_waived: bool) -> None:
        given = [name for name in rule.flags if self.given.get(name) not in (None, False)]
        if len(given) > 1 and rule.kind != "at_least":
            raise self._error(f"{_join_names(given)} can't be used together.", *given)
        if not given and rule.kind != "at_most" and not is_waived:
            raise self._error(f"Missing {_join_names(rule.flags, 'or')}.", *rule.flags)

    def _error(self, message: str, *flags: "Flag | str") -> UsageError:
        names = tuple(one if isinstance(one, str) else one.name for one in flags)
        return UsageError(message, label=self.label, command=self.command, flags=names)


def _join_names(names: "list[str] | tuple[str, ...]", word: str = "and") -> str:
    flags = [f"--{name}" for name in names]
    return flags[0] if len(flags) == 1 else f"{', '.join(flags[:-1])} {word} {flags[-1]}"


def _printable_name(name: str) -> str:
    """Return a flag's name for a message; what is long or unusual may be a secret."""
    return name if len(name) <= 40 and name.replace("-", "").isalnum() else "…"
