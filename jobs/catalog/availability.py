"""Which models can run now: credentials, what staff disabled, and what is failing."""

from imageskill.lib import clock
from jobs import registry
from jobs.catalog import switches
from jobs.providers import breaker
from jobs.providers.vendors import VENDORS
from jobs.registry.entry import Model
from jobs.registry.unavailability import (
    LOCAL_DISABLED,
    MODEL_DISABLED,
    NO_CREDENTIALS,
    PROVIDER_DISABLED,
    Availability,
    Unavailability,
    provider_failing,
)


def current() -> Availability:
    """Return which models can run now, and why the others can't, without calling a provider."""
    today = clock.utc_day(clock.now())
    off = switches.disabled()
    configured = {
        provider: VENDORS[provider].is_configured
        for provider in {model.provider for model in registry.models()}
    }
    wired = [model for model in registry.models() if model.is_wired]
    unavailable = {
        model.id: _unavailability(model, is_configured=configured[model.provider], off=off)
        for model in wired
    }
    paused_s = breaker.seconds_until_closed(
        model_id for model_id, unavailability in unavailable.items() if not unavailability
    )
    unavailable |= {
        model_id: provider_failing(retry_after_s=left) for model_id, left in paused_s.items()
    }
    return Availability(
        tuple(
            (model_id, unavailability)
            for model_id, unavailability in unavailable.items()
            if unavailability
        ),
        retired=frozenset(model.id for model in wired if model.is_retired(today)),
    )


def _unavailability(
    model: Model, *, is_configured: bool, off: switches.DisabledNames
) -> Unavailability | None:
    if not is_configured:
        return LOCAL_DISABLED if model.provider == "local" else NO_CREDENTIALS
    if model.provider in off.providers:
        return PROVIDER_DISABLED
    return MODEL_DISABLED if model.id in off.models else None
