"""Which model runs a request: the caller's, or the strongest that can within the budget."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """How the model came to be chosen, as `request.selection` tells it."""

    policy: str
    reason: str
    intent: str | None
    capability_id: str
    parameter_keys: tuple[str, ...]
    defaults_applied: tuple[str, ...]
    parameter_source: str
    resolution_class: str | None
    expected_width: int | None
    expected_height: int | None
    expected_min_short_edge: int | None

    def document(self) -> Mapping[str, Any]:
        """Give the receipt as the wire has it."""
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
