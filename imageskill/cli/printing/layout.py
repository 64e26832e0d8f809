"""Lines for people: values beside their titles, tables, both as wide as the terminal."""

import shutil
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

_TITLE = 22
_NARROWEST, _WIDEST = 40, 100


def width() -> int:
    """Return how many characters a line may have."""
    columns = shutil.get_terminal_size((80, 24)).columns
    return max(_NARROWEST, min(columns, _WIDEST))


def fields(title: str, values: Iterable[Any]) -> list[str]:
    """Return a title and its values, one below the other; nothing where there is no value."""
    found = [text(one) for one in values if one not in (None, "", [])]
    lines = []
    for place, value in enumerate(found):
        start = f"{title}:" if place == 0 else ""
        lines += _wrap(value, first=f"{start:<{_TITLE - 1}} ", rest=" " * _TITLE)
    return lines


def definitions(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Return terms with what they mean, wrapped below the term."""
    lines = []
    indent = " " * 8
    for term, meaning in rows:
        lines += [f"  {term}", *_wrap(meaning, first=indent, rest=indent)]
    return lines


def summaries(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Return names with one sentence each, wrapped beside the name."""
    indent = " " * 25
    return [
        line
        for name, sentence in rows
        for line in _wrap(sentence, first=f"  {name:<22} ", rest=indent)
    ]


def columns(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return a table with headings."""
    cells = [[heading.replace("_", " ") for heading in headings]]
    cells += [[text(value) for value in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    return [
        "  ".join(f"{cell:<{size}}" for cell, size in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def paragraph(value: str) -> list[str]:
    """Return a text in lines of the terminal's width."""
    return _wrap(text(value), first="", rest="")


def text(value: Any) -> str:
    """Return a value as people read it; control characters are dropped."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return ", ".join(text(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {text(one)}" for name, one in value.items())
    return "".join(character for character in str(value) if character.isprintable())


def flatten(value: dict[str, Any], prefix: str = "") -> list[str]:
    """Return every value of an answer that has no layout of its own."""
    lines = []
    for name, one in value.items():
        if isinstance(one, dict):
            lines += flatten(one, f"{prefix}{name}.")
        elif one not in (None, [], ""):
            lines.append(f"{prefix + name + ':':<34} {text(one)}")
    return lines


def _wrap(value: str, *, first: str, rest: str) -> list[str]:
    """Wrap between words only, so that a command or URL can be copied whole."""
    return textwrap.wrap(
        value,
        width(),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
