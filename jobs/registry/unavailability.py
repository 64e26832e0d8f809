"""Why a model can't run, as immutable values."""

from dataclasses import dataclass
from functools import cached_property

from jobs.registry.entry import Model


@dataclass(frozen=True, kw_only=True)
class Unavailability:
    """Why a model can't run now. `retry_after_s` is set where waiting helps."""

    reason: str
    message: str
    retry_after_s: int | None = None


CATALOGED = Unavailability(
    reason="cataloged_not_wired", message="it is cataloged for inspection only"
)
NO_CREDENTIALS = Unavailability(
    reason="provider_not_configured", message="its provider has no credentials here"
)
LOCAL_DISABLED = Unavailability(
    reason="local_provider_off", message="the built-in renderer is switched off here"
)
PROVIDER_DISABLED = Unavailability(
    reason="provider_switched_off", message="its provider is switched off for now"
)
MODEL_DISABLED = Unavailability(reason="model_switched_off", message="it is switched off for now")


def provider_failing(*, retry_after_s: int) -> Unavailability:
    """Return the reason of a model whose recent calls failed too often."""
    return Unavailability(
        reason="provider_failing",
        message="its provider is failing",
        retry_after_s=max(1, retry_after_s),
    )


@dataclass(frozen=True)
class Availability:
    """Why wired models can't run, as pairs with the model's id; the others can.

    Models that their provider has `retired` run for as long as it lets them, but only for callers
    who name them.
    """

    unavailable: tuple[tuple[str, Unavailability], ...] = ()
    retired: frozenset[str] = frozenset()

    def unavailability(self, model: Model) -> Unavailability | None:
        """Return why a model can't run, or None where it can."""
        return self._by_id.get(model.id) if model.is_wired else CATALOGED

    def is_selectable(self, model: Model) -> bool:
        """Return whether a model may be chosen for callers who named none."""
        return model.id not in self.retired and self.unavailability(model) is None

    @cached_property
    def _by_id(self) -> dict[str, Unavailability]:
        return dict(self.unavailable)
