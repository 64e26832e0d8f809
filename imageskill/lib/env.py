"""Settings from the environment: typed, loud when malformed, `NAME_FILE` read for every name."""

import os
import re
from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    """Read a text; `NAME_FILE` names a file that holds it instead. Empty counts as missing."""
    file = os.environ.get(f"{name}_FILE")
    if file:
        if os.environ.get(name):
            raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; keep one.")
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE can't be read: {error.strerror}.") from error
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    """Read a yes or no."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false.")


def integer(name: str, default: int) -> int:
    """Read a whole number."""
    value = text(name)
    try:
        return int(value) if value else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from None


def decimal(name: str, default: str) -> Decimal:
    """Read an exact decimal; never through a float."""
    try:
        number = Decimal(text(name, default))
    except InvalidOperation:
        raise ImproperlyConfigured(f"{name} must be a decimal number.") from None
    if not number.is_finite():
        raise ImproperlyConfigured(f"{name} must be a decimal number.")
    return number


def words(name: str, default: str = "") -> list[str]:
    """Read a list separated by commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def integers_by_name(name: str, *, known: Collection[str]) -> dict[str, int]:
    """Read whole numbers by name, separated by commas: `finance=10000, lead support=5000`.

    Raises ImproperlyConfigured for a name that is not known: a misspelt one would do nothing.
    """
    pairs = [word.partition("=") for word in words(name)]
    try:
        found = {key.strip(): int(number) for key, _, number in pairs}
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be names with whole numbers: a=1, b=2.") from None
    if unknown := sorted(found.keys() - set(known)):
        raise ImproperlyConfigured(
            f"{name} names {unknown[0]!r}, which is none of: {', '.join(sorted(known))}."
        )
    return found


def names(name: str) -> list[str]:
    """Read a list of names, as `split_names` splits them."""
    return split_names(text(name))


def split_names(value: str) -> list[str]:
    """Split names in one line, separated by commas or spaces."""
    return re.findall(r"[^\s,]+", value)
