"""JSON as PostgreSQL can store it: UTF-8, no NaN, no NUL, no lone surrogates, no key twice."""

import json
from typing import Any, NoReturn


class InvalidJson(ValueError):
    """The text is not JSON, or holds something that can't be stored. Never quotes the text."""


def parse(raw: bytes) -> Any:
    """Parse a JSON document; raises `InvalidJson`, which says what is wrong without a value."""
    try:
        text = raw.decode("utf-8")
        document = json.loads(
            text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_repeated_keys
        )
    except UnicodeDecodeError:
        raise InvalidJson("The body is not UTF-8.") from None
    except InvalidJson:
        raise
    except RecursionError:
        raise InvalidJson("The body is nested too deeply.") from None
    except ValueError:
        raise InvalidJson("The body is not valid JSON.") from None
    if "\\u" in text:  # only an escape can smuggle in a NUL or half a surrogate pair
        _check_strings(document)
    return document


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can store the text: no NUL, no lone surrogate."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _refuse_constant(_: str) -> NoReturn:
    raise InvalidJson("NaN and Infinity are not JSON.")


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidJson("An object gives a key twice.")
    return found


def _check_strings(document: Any) -> None:
    waiting = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if not is_storable(item):
                raise InvalidJson("A text holds a NUL character or half a surrogate pair.")
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
