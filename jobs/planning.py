"""What a create or edit will do and cost, decided before anything is written or anybody is paid.

One pure function serves dry runs and live runs alike. Everything that may refuse a request for
what it asks is here; what depends on the caller (grants, quota, policy on prompts) is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from jobs.availability import Availability
from jobs.prices import Cost
from jobs.registry.entry import Model, Operation, Size
from jobs.selection import Receipt


@dataclass(frozen=True, kw_only=True)
class PictureFacts:
    """What is known of a stored picture."""

    mime_type: str
    content_length: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class ReferenceAsk:
    """A reference as the caller named it, with the facts of its asset."""

    role: str
    facts: PictureFacts
    index: int = 0
    reference_index: int | None = None
    reference_task: str | None = None


@dataclass(frozen=True, kw_only=True)
class OutputAsk:
    """The file format and size that the caller wants the outputs to have."""

    format: str | None = None  # png, jpeg, webp
    width: int | None = None
    height: int | None = None
    min_width: int | None = None
    min_height: int | None = None
    max_width: int | None = None
    max_height: int | None = None


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A create or edit whose shape is valid and whose assets are the caller's own.

    `aspect_ratio` is None where the caller sent none: 1:1 on create, auto on edit.
    """

    operation: Operation
    prompt: str | None = None
    model: str | None = None
    provider: str | None = None
    intent: str | None = None
    aspect_ratio: str | None = None
    output: OutputAsk = OutputAsk()
    output_count: int = 1
    input_image: PictureFacts | None = None
    mask: PictureFacts | None = None
    references: tuple[ReferenceAsk, ...] = ()
    model_parameters: Mapping[str, Any] = field(default_factory=dict)
    max_estimated_usd_per_image: Decimal | None = None
    max_usd: Decimal | None = None
    accept_unknown_cost: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will be run, and what for.

    `parameters` are the caller's, checked, with the defaults that decide price and size;
    `cost.credits` is the planned debit for all outputs together, which is what to hold.
    """

    operation: Operation
    model: Model
    prompt: str
    parameters: Mapping[str, Any]
    aspect_ratio: str
    output_count: int
    output_format: str | None
    size: Size | None
    cost: Cost
    selection: Receipt
    warnings: tuple[str, ...] = ()


def plan(ask: Ask, *, availability: Availability, margin: Decimal) -> Plan:
    """Decide model, parameters, size and price of a request; the same answer for the same input.

    Raises `InvalidArguments`, `MODEL_UNAVAILABLE`, `PROVIDER_UNAVAILABLE`,
    `MODEL_PARAMETER_INVALID`, `INPUT_POLICY_DENIED`, `BUDGET_REQUIRES_CONFIRMATION` or
    `BUDGET_EXCEEDED`; nothing has happened then.
    """
    raise NotImplementedError
