"""Which models can run right now, and why the others can't."""

from dataclasses import dataclass
from functools import cached_property

from jobs.registry.entry import Model


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """Why a model can't run now. `retry_after_s` is set where waiting helps."""

    reason: str
    message: str
    retry_after_s: int | None = None


CATALOGUED = Obstacle(reason="cataloged_not_wired", message="it is catalogued for inspection only")


@dataclass(frozen=True)
class Availability:
    """The obstacles of all wired models that have one, as pairs with the model's id."""

    obstacles: tuple[tuple[str, Obstacle], ...] = ()

    def of(self, model: Model) -> Obstacle | None:
        """Give what stands in a model's way, or None."""
        return self._by_id.get(model.id) if model.is_wired else CATALOGUED

    @cached_property
    def _by_id(self) -> dict[str, Obstacle]:
        return dict(self.obstacles)
