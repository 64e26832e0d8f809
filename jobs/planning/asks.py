"""What a caller asks of create or edit, once its shape is known to be valid."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from jobs.registry.entry import Operation

DEFAULT_ASPECT_RATIO: Mapping[Operation, str] = {"create": "1:1", "edit": "auto"}


@dataclass(frozen=True, kw_only=True)
class ImageInfo:
    """What is known of a stored image."""

    mime_type: str
    content_length: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class ResolvedReference:
    """A reference as the caller named it, with the facts of its asset."""

    role: str
    facts: ImageInfo
    index: int = 0
    reference_index: int | None = None
    reference_task: str | None = None


@dataclass(frozen=True, kw_only=True)
class OutputSpec:
    """The file format and size that the outputs are to have; None where it does not matter."""

    format: str | None = None  # png, jpeg, webp
    width: int | None = None
    height: int | None = None
    min_width: int | None = None
    min_height: int | None = None
    max_width: int | None = None
    max_height: int | None = None


@dataclass(frozen=True, kw_only=True)
class ResolvedRequest:
    """A create or edit whose shape is valid and whose assets are the caller's own.

    `aspect_ratio` is None where the caller sent none: 1:1 on create, auto on edit.
    """

    operation: Operation
    prompt: str | None = None
    model: str | None = None
    provider: str | None = None
    intent: str | None = None
    aspect_ratio: str | None = None
    output: OutputSpec = OutputSpec()
    output_count: int = 1
    input_image: ImageInfo | None = None
    mask: ImageInfo | None = None
    references: tuple[ResolvedReference, ...] = ()
    model_parameters: Mapping[str, Any] = field(default_factory=dict)
    max_estimated_usd_per_image: Decimal | None = None
    max_usd: Decimal | None = None
    accept_unknown_cost: bool = False

    @property
    def ratio(self) -> str:
        """Return the aspect ratio asked for, the operation's own where none was."""
        return self.aspect_ratio or DEFAULT_ASPECT_RATIO[self.operation]
