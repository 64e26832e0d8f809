"""Which models can run right now: credentials, what staff switched off, and what is failing."""

from jobs import registry
from jobs.catalog import switches
from jobs.providers import breaker, credentials
from jobs.registry.entry import Model
from jobs.registry.unavailability import (
    LOCAL_IS_OFF,
    MODEL_IS_OFF,
    NO_CREDENTIALS,
    PROVIDER_IS_OFF,
    Availability,
    Obstacle,
    failing,
)


def current() -> Availability:
    """Say which models can run now, and why the others can't; calls nobody."""
    off = switches.off()
    configured = {
        provider: credentials.is_configured(provider)
        for provider in {model.provider for model in registry.models()}
    }
    wired = [model for model in registry.models() if model.is_wired]
    found = {
        model.id: _obstacle(model, is_configured=configured[model.provider], off=off)
        for model in wired
    }
    paused_s = breaker.paused_s(model_id for model_id, obstacle in found.items() if not obstacle)
    found |= {model_id: failing(retry_after_s=left) for model_id, left in paused_s.items()}
    return Availability(
        tuple((model_id, obstacle) for model_id, obstacle in found.items() if obstacle)
    )


def _obstacle(model: Model, *, is_configured: bool, off: switches.SwitchedOff) -> Obstacle | None:
    if not is_configured:
        return LOCAL_IS_OFF if model.provider == "local" else NO_CREDENTIALS
    if model.provider in off.providers:
        return PROVIDER_IS_OFF
    return MODEL_IS_OFF if model.id in off.models else None
