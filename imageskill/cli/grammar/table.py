"""Every command, in the order in which help shows them."""

from difflib import get_close_matches

from imageskill.cli.grammar import activity, creating, discovery, identity, local, money
from imageskill.cli.grammar.spec import Command

COMMANDS: tuple[Command, ...] = (
    *local.COMMANDS[:2],
    *identity.COMMANDS,
    *money.COMMANDS,
    *discovery.COMMANDS,
    *creating.COMMANDS,
    *activity.COMMANDS,
    *local.COMMANDS[2:],
)

# What callers try who know other command lines, and what does it here.
_MEANT = {
    "balance": ("usage", "quota"),
    "buy": ("credits", "buy"),
    "cancel": ("jobs", "cancel"),
    "credits balance": ("usage", "quota"),
    "download": ("assets", "get"),
    "generate": ("create",),
    "history": ("activity", "list"),
    "login": ("auth", "save"),
    "logout": ("auth", "logout"),
    "price": ("credits", "quote"),
    "register": ("signup",),
    "status": ("doctor",),
    "wait": ("jobs", "wait"),
}
# Other names of what is made, before create and edit.
_MODALITIES = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "3d": "3d",
    "three-d": "3d",
    "image-to-3d": "3d",
}

_BY_WORDS = {words: one for one in COMMANDS for words in (one.words, *one.aliases)}


def find(words: tuple[str, ...]) -> Command | None:
    """Return the command with exactly these words, aliases included."""
    return _BY_WORDS.get(words)


def longest_match(arguments: list[str]) -> tuple[Command, tuple[str, ...]] | None:
    """Find the command that the first arguments name, and the words that named it."""
    for length in (3, 2, 1):
        words = tuple(arguments[:length])
        if len(words) == length and words in _BY_WORDS:
            return _BY_WORDS[words], words
    return None


def without_modality(arguments: list[str]) -> list[str]:
    """Write `video create …` as `create --modality=video …`; images need no word for it."""
    modality = _MODALITIES.get(arguments[0])
    command = arguments[1] if len(arguments) > 1 else ""
    if modality == "image" and command in {"create", "edit"}:
        return arguments[1:]
    if modality and command == "create":
        return ["create", f"--modality={modality}", *arguments[2:]]
    return arguments


def similar(arguments: list[str]) -> Command | None:
    """Find the command that the first arguments probably meant."""
    for length in (2, 1):
        if words := _MEANT.get(" ".join(arguments[:length]).lower()):
            return _BY_WORDS[words]
    names = {" ".join(words): command for words, command in _BY_WORDS.items()}
    for length in (3, 2, 1):
        found = get_close_matches(" ".join(arguments[:length]), names, n=1, cutoff=0.75)
        if found:
            return names[found[0]]
    return None


def starting_with(words: tuple[str, ...]) -> list[Command]:
    """List the commands whose words begin like this."""
    return [one for one in COMMANDS if one.words[: len(words)] == words]
