"""How a model was chosen, as `request.selection` shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jobs.registry.entry import Model, Size

ParameterSource = Literal[
    "none", "request", "default_policy", "model_defaults", "request_and_defaults"
]


@dataclass(frozen=True, kw_only=True)
class SelectionRecord:
    """The choice, the parameters behind it, and the size to expect."""

    policy: str
    reason: str
    intent: str | None
    capability_id: str
    parameter_keys: tuple[str, ...]
    defaults_applied: tuple[str, ...]
    parameter_source: ParameterSource
    resolution_class: str | None = None
    expected_width: int | None = None
    expected_height: int | None = None
    expected_min_short_edge: int | None = None

    def document(self) -> dict[str, Any]:
        """Return the record as answers show it."""
        return {
            "policy": self.policy,
            "reason": self.reason,
            "intent": self.intent,
            "capability": {"id": self.capability_id},
            "model_parameters": {
                "keys": list(self.parameter_keys),
                "defaults_applied": list(self.defaults_applied),
                "source": self.parameter_source,
            },
            "output": {
                "resolution_class": self.resolution_class,
                "expected_width": self.expected_width,
                "expected_height": self.expected_height,
                "expected_min_short_edge": self.expected_min_short_edge,
            },
        }


def expected_output(
    model: Model, parameters: Mapping[str, Any], *, aspect_ratio: str, size: Size | None
) -> dict[str, Any]:
    """Return the size to expect: exact, or by its tier, or unknown."""
    tier = model.size.tier
    tier_value = tier and parameters.get(tier, model.parameters[tier].get("default"))
    if size is not None:
        return {
            "resolution_class": tier_value,
            "expected_width": size[0],
            "expected_height": size[1],
            "expected_min_short_edge": min(size),
        }
    # A tier names the edge of a square; other ratios distribute its pixels differently.
    edge = model.size.short_edge.get(tier_value or "") if aspect_ratio == "1:1" else None
    return {"resolution_class": tier_value, "expected_min_short_edge": edge}
