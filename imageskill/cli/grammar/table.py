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


def similar(arguments: list[str]) -> Command | None:
    """Find the command that the first arguments probably meant."""
    names = {" ".join(words): command for words, command in _BY_WORDS.items()}
    for length in (3, 2, 1):
        found = get_close_matches(" ".join(arguments[:length]), names, n=1, cutoff=0.75)
        if found:
            return names[found[0]]
    return None


def starting_with(words: tuple[str, ...]) -> list[Command]:
    """List the commands whose words begin like this."""
    return [one for one in COMMANDS if one.words[: len(words)] == words]
