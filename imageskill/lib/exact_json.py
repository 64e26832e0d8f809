"""JSON with exact decimals: written as numbers, read as decimals, never through a float."""

import json
import re
import secrets
from decimal import Decimal
from typing import Any

from django.db import models

# A decimal is written as a marked text, and its mark and quotes are removed: `json` writes numbers
# through floats only. Nobody can send the mark, since it is this process's alone.
_MARK = secrets.token_hex(12)
_DECIMAL = re.compile(rf'"{_MARK}(-?[0-9.]+)"')


class ExactEncoder(json.JSONEncoder):
    """Writes decimals as numbers, in all their digits; works for `json.dumps`, not for `dump`."""

    def default(self, o: Any) -> Any:
        """Return a decimal as a marked text."""
        return f"{_MARK}{o:f}" if isinstance(o, Decimal) else super().default(o)

    def encode(self, o: Any) -> str:
        """Write a document, then remove the marks."""
        return _DECIMAL.sub(r"\1", super().encode(o))


class ExactDecoder(json.JSONDecoder):
    """Reads numbers with a point or an exponent as decimals."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"parse_float": Decimal, **options})


class ExactJSONField(models.JSONField):
    """A JSON column whose decimals are exact on their way in and out."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"encoder": ExactEncoder, "decoder": ExactDecoder, **options})

    def deconstruct(self) -> tuple[Any, ...]:
        """Describe a plain field: for the database it is one, and migrations need no other."""
        name, _, args, options = super().deconstruct()
        for added in ("encoder", "decoder"):
            options.pop(added, None)
        return name, "django.db.models.JSONField", args, options
