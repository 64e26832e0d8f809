"""What every part of a registry row is made of: the base class and the types of its fields."""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

_EXACT = re.compile(r"[0-9]+(\.[0-9]+)?")


def _exact(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not _EXACT.fullmatch(value):
        raise ValueError('must be a string such as "0.035"')
    return Decimal(value)


def unique(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the values; raises ValueError if one is repeated."""
    if len(set(values)) != len(values):
        raise ValueError("must not repeat a value")
    return values


Exact = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0)]
Words = Annotated[str, StringConstraints(min_length=1)]
Positive = Annotated[int, Field(ge=1)]
MimeType = Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]+$")]
MimeTypes = Annotated[tuple[MimeType, ...], Field(min_length=1), AfterValidator(unique)]
Ratio = Annotated[str, StringConstraints(pattern=r"^(auto|[0-9]+(\.[0-9]+)?:[0-9]+(\.[0-9]+)?)$")]
Tags = Annotated[tuple[Words, ...], AfterValidator(unique)]
CatalogOperation = Literal[
    "image.generate",
    "image.edit",
    "image.variation",
    "video.generate",
    "audio.generate",
    "3d.generate",
]


class Part(BaseModel):
    """A part of a row: immutable, JSON types are strict, unknown fields are refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", validate_by_name=True)
