"""A create or edit as it was asked for, its shape checked, its images still named by id."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from jobs.planning.asks import OutputSpec
from jobs.registry.entry import Operation


@dataclass(frozen=True, kw_only=True)
class ReferenceInput:
    """A reference image, by its asset."""

    asset_id: str
    role: str
    index: int = 0
    reference_index: int | None = None
    reference_task: str | None = None


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """A create or edit as it was asked for; images by asset id."""

    operation: Operation
    prompt: str | None = None
    model: str | None = None
    provider: str | None = None
    intent: str | None = None
    aspect_ratio: str | None = None
    output: OutputSpec = field(default_factory=OutputSpec)
    output_count: int = 1
    input_asset_id: str | None = None
    mask_asset_id: str | None = None
    references: tuple[ReferenceInput, ...] = ()
    model_parameters: Mapping[str, Any] = field(default_factory=dict)
    max_estimated_usd_per_image: Decimal | None = None
    max_usd: Decimal | None = None
    accept_unknown_cost: bool = False

    @property
    def asset_ids(self) -> dict[str, str]:
        """Name the field and id of each image."""
        named = {"input_asset_id": self.input_asset_id, "mask_asset_id": self.mask_asset_id}
        ids_by_field = {name: asset_id for name, asset_id in named.items() if asset_id}
        for number, reference in enumerate(self.references):
            ids_by_field[f"references.{number}.asset_id"] = reference.asset_id
        return ids_by_field

    @property
    def digest(self) -> str:
        """Sum up the terms, so that a repeated key can be held against them."""
        document = json.dumps(vars(self), default=_plain, sort_keys=True)
        return hashlib.sha256(document.encode()).hexdigest()


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else vars(value)
