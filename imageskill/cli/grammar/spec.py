"""The types that the command table is written in."""

from typing import Any, NamedTuple

SWITCH = "switch"  # given or not
TEXT = "text"
INTEGER = "integer"
NUMBER = "number"
JSON = "json"  # a JSON object
WORDS = "words"  # separated by commas
FILE = "file"  # a path on the caller's machine
ASSET = "asset"  # an asset id, or the URL of an asset here
IMAGE = "image"  # an asset id, a URL or a local path
REFERENCE = "reference"  # an image with its index: IMAGE[@INDEX]


class Flag(NamedTuple):
    """One flag; where `is_positional`, its value may stand without the name too."""

    name: str
    help: str
    value: str = ""  # what help shows for the value; empty for a switch
    kind: str = TEXT
    field: str = ""  # its name in the request; empty: for the client alone
    default: Any = None  # what the request carries when it is not given
    lifted_by: tuple[str, ...] = ()  # switches with which the default is not sent
    sent_as: str = ""  # what a switch that is on is sent as, where not as true
    choices: tuple[str, ...] = ()
    minimum: int = 1  # of an integer
    aliases: tuple[str, ...] = ()
    is_required: bool = False
    is_repeatable: bool = False
    is_positional: bool = False
    is_local: bool = False  # needs the caller's files, config or token: not over `/v1/cli`
    is_hidden: bool = False  # accepted for older scripts, not advertised
    waives_requirements: bool = False  # with it, nothing else is required


class Rule(NamedTuple):
    """How flags go together: `exactly` one of them, `at_least` one, or `at_most` one."""

    kind: str
    flags: tuple[str, ...]


class Endpoint(NamedTuple):
    """The request that a command makes. Flags fill the path, then the query or the body."""

    method: str
    path: str

    @property
    def has_body(self) -> bool:
        """Return whether flags go into a JSON body rather than the query."""
        return self.method == "POST"


class Command(NamedTuple):
    """One command: its words, its flags, its request."""

    words: tuple[str, ...]
    topic: str
    summary: str
    endpoint: Endpoint | None = None
    flags: tuple[Flag, ...] = ()
    rules: tuple[Rule, ...] = ()
    auth: str = "required"  # required | optional | none
    aliases: tuple[tuple[str, ...], ...] = ()
    module: str = ""  # of `imageskill.cli.commands`, where more than the request is to do
    notes: str = ""
    examples: tuple[str, ...] = ()
    is_spending: bool = False
    is_local: bool = False  # nothing for `/v1/cli` to do
    bare_endpoint: Endpoint | None = None  # the request where no flag of it is given
    instead: str = ""  # the endpoint to call where this command can't run

    @property
    def label(self) -> str:
        """The name that envelopes carry."""
        return " ".join(("image-skill", *self.words))

    @property
    def anchor(self) -> str:
        """The heading of this command in `/cli.md`."""
        return "-".join(("image-skill", *self.words))

    @property
    def usage(self) -> str:
        """The command with what it needs, as one line."""
        return " ".join((self.label, *_required_usage(self), "--json"))

    def flag(self, name: str) -> Flag | None:
        """Find a flag by its name or an alias."""
        return next((one for one in self.flags if name == one.name or name in one.aliases), None)

    def named(self, name: str) -> Flag:
        """Return a flag that is known to be in the table."""
        return next(one for one in self.flags if one.name == name)


def _required_usage(command: Command) -> list[str]:
    by_rule = [rule.flags[0] for rule in command.rules if rule.kind != "at_most"]
    shown = []
    for flag in command.flags:
        if flag.is_required or flag.name in by_rule:
            name = [] if flag.is_positional else [f"--{flag.name}"]
            shown.append(" ".join([*name, *([flag.value] if flag.value else [])]))
    return shown
