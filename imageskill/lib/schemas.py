"""Bases for what comes in and goes out over the API."""

from decimal import Decimal
from typing import Annotated

from ninja import Schema
from pydantic import ConfigDict, WithJsonSchema

# Exact inside, a JSON number outside: the envelope writes it so, and callers read no texts.
ExactNumber = Annotated[Decimal, WithJsonSchema({"type": "number"})]


class Body(Schema):
    """A request body: JSON types are strict, unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Data(Schema):
    """The `data` of an answer."""
