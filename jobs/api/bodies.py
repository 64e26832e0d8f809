"""What the endpoints of jobs and assets take: bodies, and the types of their fields."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    WithJsonSchema,
)

from imageskill.lib.schemas import Body, Readable
from jobs.planning.request import GenerationRequest, OutputSpec, Reference
from jobs.registry.operations import Operation

_MAX_USD = 1_000_000


def _exact_decimal(value: Any) -> Decimal:
    """Read a JSON number exactly as it was written; a string is no number of dollars."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic catches ValueError only
    return Decimal(str(value))


Usd = Annotated[
    Decimal,
    BeforeValidator(_exact_decimal),
    Field(ge=0, le=_MAX_USD),
    # Pydantic would write the bounds as `ge` and `le`, which mean nothing in JSON Schema.
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": _MAX_USD}),
]
AssetId = Annotated[str, StringConstraints(pattern=r"^image_[A-Za-z0-9._-]{1,128}$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
IdempotencyKey = Annotated[
    str, StringConstraints(pattern=r"^[\x21-\x7e][\x20-\x7e]{0,198}[\x21-\x7e]?$")
]
Limit = Annotated[int, Field(ge=1, le=100)]
Cursor = Annotated[str, StringConstraints(max_length=140)]
Pixels = Annotated[int, Field(ge=1, le=65_536)]
ReferenceIndex = Annotated[int, Field(ge=0, le=99)]
Prompt = Annotated[str, StringConstraints(min_length=1, max_length=32_000)]
Modality = Literal["image", "video", "audio", "3d"]


def _canonical_format(name: str | None) -> str | None:
    return "jpeg" if name == "jpg" else name


# For readers who try it out: plans that charge nothing.
_CREATE_EXAMPLE: dict[str, JsonValue] = {
    "prompt": "A compact field camera on a stainless workbench",
    "intent": "explore",
    "aspect_ratio": "1:1",
    "max_estimated_usd_per_image": 0.05,
    "dry_run": True,
}
_EDIT_EXAMPLE: dict[str, JsonValue] = {
    "input_asset_id": "image_0123456789abcdefABCDEF",
    "prompt": "Remove the background",
    "accept_unknown_cost": True,
    "dry_run": True,
}


class OutputBody(Body):
    """The file format and size that the outputs must have."""

    format: Annotated[
        Literal["png", "jpeg", "jpg", "webp"] | None,
        AfterValidator(_canonical_format),
        Field(description="The file format."),
    ] = None
    width: Pixels | None = Field(None, description="The exact width in pixels.")
    height: Pixels | None = Field(None, description="The exact height in pixels.")
    min_width: Pixels | None = Field(None, description="The least width in pixels.")
    min_height: Pixels | None = Field(None, description="The least height in pixels.")
    max_width: Pixels | None = Field(None, description="The largest width in pixels.")
    max_height: Pixels | None = Field(None, description="The largest height in pixels.")


class ReferenceBody(Body):
    """A reference image and its part in the request."""

    asset_id: AssetId = Field(description="An asset of your organization.")
    role: Word = Field(description="Its part in the image: one of the model's reference roles.")
    index: ReferenceIndex | None = Field(
        None, description="The element, or the place among the references; from 0, without gaps."
    )
    reference_index: ReferenceIndex | None = Field(
        None, description="The place among the further views of its element, 0 to 2."
    )
    reference_task: Word | None = Field(
        None, description="What to take from it, such as ip, id or style."
    )


class OperationBody(Body):
    """What create and edit have in common."""

    model: Name | None = None
    provider: Name | None = None
    intent: Annotated[str, StringConstraints(max_length=200), Readable] | None = None
    aspect_ratio: Annotated[str, StringConstraints(min_length=1, max_length=16)] | None = None
    output: OutputBody | None = None
    output_count: Annotated[int, Field(ge=1, le=100)] = 1
    references: Annotated[list[ReferenceBody], Field(max_length=100)] | None = Field(
        None, description="Reference images, for models that take them."
    )
    model_parameters: dict[str, Any] | None = None
    dry_run: bool = False
    max_estimated_usd_per_image: Usd | None = None
    max_usd: Usd | None = None
    accept_unknown_cost: bool = False
    idempotency_key: IdempotencyKey | None = None

    def to_request(self, operation: Operation) -> GenerationRequest:
        """Return the terms; a null and a missing field are the same."""
        terms = _without_nulls(self)
        for name in ("dry_run", "idempotency_key"):  # these concern the call, not the image
            terms.pop(name, None)
        if self.output is not None:
            terms["output"] = OutputSpec(**_without_nulls(self.output))
        if self.references is not None:
            terms["references"] = tuple(
                Reference(**_without_nulls(reference)) for reference in self.references
            )
        return GenerationRequest(operation=operation, **terms)


class CreateBody(OperationBody):
    """An image to create from a prompt."""

    model_config = ConfigDict(json_schema_extra={"example": _CREATE_EXAMPLE})

    prompt: Prompt
    modality: Modality | None = None


class EditBody(OperationBody):
    """An image to edit."""

    model_config = ConfigDict(json_schema_extra={"example": _EDIT_EXAMPLE})

    input_asset_id: AssetId
    prompt: Prompt | None = None
    mask_asset_id: AssetId | None = None


def _without_nulls(body: Body) -> dict[str, Any]:
    return {name: value for name, value in body if value is not None}


class UploadBody(Body):
    """An image to upload, and what the caller declares about it."""

    source_kind: Literal["local_path", "remote_url"] = Field(
        description="Where the image came from; recorded, never fetched."
    )
    filename: Annotated[str, StringConstraints(max_length=4096)] | None = Field(
        None, description="Its name; a path before it is dropped."
    )
    remote_origin: Annotated[str, StringConstraints(max_length=4096)] | None = Field(
        None, description="The origin of its URL, such as https://example.com."
    )
    mime_type: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="Its type; must be that of the bytes."
    )
    content_length: Annotated[int, Field(ge=0, le=2**53)] = Field(
        description="How many bytes it has."
    )
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{64}$")] = Field(
        description="The SHA-256 of the bytes, in hex."
    )
    bytes_base64: str = Field(description="The bytes as base64.")
