"""Bases for what comes in and goes out over the API."""

from ninja import Schema
from pydantic import ConfigDict


class Body(Schema):
    """A request body: JSON types are strict, unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Data(Schema):
    """The `data` of an answer."""
