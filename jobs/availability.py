"""Which models can run right now, and why the others can't."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """Why a wired model can't run now. `retry_after_s` is set where waiting helps."""

    reason: str
    message: str
    retry_after_s: int | None = None


@dataclass(frozen=True)
class Availability:
    """The obstacles of all models that have one, by model id."""

    obstacles: tuple[tuple[str, Obstacle], ...] = ()

    def of(self, model_id: str) -> Obstacle | None:
        """Give what stands in a model's way, or None."""
        return self._by_id.get(model_id)

    @property
    def _by_id(self) -> Mapping[str, Obstacle]:
        return dict(self.obstacles)
