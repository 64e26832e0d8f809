"""Parse the text of one value into what the request carries."""

import json
import re
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

from imageskill.cli.grammar.spec import ASSET, INTEGER, JSON, NUMBER, REFERENCE, WORDS, Flag

ASSET_ID = re.compile(r"image_[A-Za-z0-9._-]{1,128}")
_ASSET_PATH = re.compile(r"/a/(image_[A-Za-z0-9_-]{1,128})\.[a-z0-9]{1,5}")
_INDEXED = re.compile(r"(?P<image>.+)@(?P<index>\d{1,2})(?::(?P<rest>\d{1,2}|[a-z]+))?", re.DOTALL)


class InvalidValue(ValueError):
    """The text is not what the flag takes; says what it takes, never what was given."""


def parse(flag: Flag, text: str) -> Any:
    """Parse one value of the flag; raises `InvalidValue`."""
    if flag.choices and text not in flag.choices:
        raise InvalidValue(f"takes {' or '.join(flag.choices)}")
    reader = _READERS.get(flag.kind)
    return reader(flag, text) if reader else text


def asset_id(text: str) -> str | None:
    """Return the asset id that a text is, or that an asset's URL contains."""
    if ASSET_ID.fullmatch(text):
        return text
    match = _ASSET_PATH.fullmatch(urlsplit(text).path) if is_url(text) else None
    return match[1] if match else None


def is_url(text: str) -> bool:
    """Return whether the text is an http or https URL."""
    return text[:8].lower().startswith(("http://", "https://"))


def split_reference(text: str) -> tuple[str, int | None, str | None]:
    """Split IMAGE[@INDEX[:REST]] into its parts; an image may have an @ of its own."""
    match = _INDEXED.fullmatch(text)
    return (match["image"], int(match["index"]), match["rest"]) if match else (text, None, None)


def _integer(flag: Flag, text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < flag.minimum:
        raise InvalidValue(f"takes a whole number, {flag.minimum} or more")
    return int(text)


def _number(_: Flag, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not isfinite(number) or number < 0:
        raise InvalidValue("takes a number, 0 or more")
    return number


def _object(_: Flag, text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise InvalidValue("takes a JSON object")
    return document


def _words(_: Flag, text: str) -> list[str]:
    return [word for word in (part.strip() for part in text.split(",")) if word]


def _asset(_: Flag, text: str) -> str:
    found = asset_id(text)
    if found is None:
        raise InvalidValue("takes an asset id, or the URL of an asset of this service")
    return found


def _reference(_: Flag, text: str) -> str:
    if not split_reference(text)[0]:
        raise InvalidValue("takes an image")
    return text


_READERS = {
    INTEGER: _integer,
    NUMBER: _number,
    JSON: _object,
    WORDS: _words,
    ASSET: _asset,
    REFERENCE: _reference,
}
