"""Base classes of the API's schemas."""

from decimal import Decimal
from typing import Annotated, Any

from ninja import Schema
from pydantic import (
    AfterValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    WithJsonSchema,
    model_validator,
)

# Exact inside, a JSON number outside: the envelope writes it so, and callers read no texts.
ExactNumber = Annotated[Decimal, WithJsonSchema({"type": "number"})]

_CONTROLS = dict.fromkeys(
    code for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n\r"
)


def _without_controls(text: str) -> str:
    return text.translate(_CONTROLS)


Readable = AfterValidator(_without_controls)
"""Drops control characters, which callers quote from terminals and no reader can see."""


class Body(Schema):
    """A request body: JSON types are strict, unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Data(Schema):
    """The `data` of an answer."""

    @model_validator(mode="wrap")
    @classmethod
    def _run_root_validator(cls, values: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        """Keep a part that is built already.

        Ninja's own validator reads every part again by its attributes, which costs time and
        makes fields that were left out look as if they had been set to null.
        """
        return values if isinstance(values, cls) else handler(values)
