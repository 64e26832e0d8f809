"""A create or edit as the caller asked for it: its shape is checked, its images are asset ids."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from typing import Any

from jobs.registry.operations import DEFAULT_ASPECT_RATIO, Operation


@dataclass(frozen=True, kw_only=True)
class ImageInfo:
    """What planning needs to know of a stored image.

    `min_luma` and `min_alpha` are its least brightness and opacity, from 0 to 255; None where it
    was stored before they were noted. `conversions` are what is done to it before it leaves.
    """

    mime_type: str
    content_length: int
    width: int
    height: int
    min_luma: int | None = None
    min_alpha: int | None = None
    conversions: tuple[str, ...] = ()


Images = Mapping[str, ImageInfo]
"""The images that a request names, by asset id."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A reference image and its part in the request."""

    asset_id: str
    role: str
    index: int = 0
    reference_index: int | None = None
    reference_task: str | None = None


@dataclass(frozen=True, kw_only=True)
class OutputSpec:
    """The file format and size that the outputs must have; None where any will do."""

    format: str | None = None  # png, jpeg, webp
    width: int | None = None
    height: int | None = None
    min_width: int | None = None
    min_height: int | None = None
    max_width: int | None = None
    max_height: int | None = None


def added(default: Any) -> Any:
    """Declare a field of the request that is younger than stored digests.

    At its default it stays out of the digest, so that the keys of earlier jobs remain valid.
    """
    return field(default=default, metadata={"is_added": True})


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """The terms of a create or edit.

    `aspect_ratio` is None where the caller sent none: 1:1 on create, auto on edit. Jobs keep the
    digest of their terms, so a field is never renamed, and a new one is declared with `added`.
    """

    operation: Operation
    prompt: str | None = None
    model: str | None = None
    provider: str | None = None
    intent: str | None = None
    aspect_ratio: str | None = None
    output: OutputSpec = OutputSpec()
    output_count: int = 1
    input_asset_id: str | None = None
    mask_asset_id: str | None = None
    references: tuple[Reference, ...] = ()
    model_parameters: Mapping[str, Any] = field(default_factory=dict)
    max_estimated_usd_per_image: Decimal | None = None
    max_usd: Decimal | None = None
    accept_unknown_cost: bool = False
    modality: str | None = added(None)

    @property
    def effective_aspect_ratio(self) -> str:
        """Return the aspect ratio of the request, the operation's default where it names none."""
        return self.aspect_ratio or DEFAULT_ASPECT_RATIO[self.operation]

    @property
    def asset_ids(self) -> dict[str, str]:
        """Return the asset id of each image, by the field that names it."""
        named = {"input_asset_id": self.input_asset_id, "mask_asset_id": self.mask_asset_id}
        ids_by_field = {name: asset_id for name, asset_id in named.items() if asset_id}
        for number, reference in enumerate(self.references):
            ids_by_field[f"references.{number}.asset_id"] = reference.asset_id
        return ids_by_field

    @property
    def digest(self) -> str:
        """Return the hash of the terms, which a repeated idempotency key must match."""
        document = json.dumps(digested_terms(self), default=str, sort_keys=True)
        return hashlib.sha256(document.encode()).hexdigest()


def digested_terms(terms: Any) -> dict[str, Any]:
    """Return the fields of a request that its digest covers."""
    return {
        name: value
        for name, value in asdict(terms).items()
        if not _is_added_default(terms, name, value)
    }


def _is_added_default(terms: Any, name: str, value: Any) -> bool:
    declared = next(part for part in fields(terms) if part.name == name)
    return "is_added" in declared.metadata and value == declared.default
