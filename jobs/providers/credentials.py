"""Which providers can be called on this installation, from settings alone; loads no adapter."""

from collections.abc import Callable, Mapping

from django.conf import settings

STAND_IN_KEY = "stand-in"
"""What a stand-in is shown in place of a key."""

_KEYS: Mapping[str, Callable[[], str]] = {
    "fal": lambda: settings.FAL_KEY,
    "openai": lambda: settings.OPENAI_API_KEY,
    "xai": lambda: settings.XAI_API_KEY,
}


def is_configured(provider: str) -> bool:
    """Return whether a provider has what calls need: a key, a stand-in, or the switch being on."""
    if provider == "local":
        return bool(settings.LOCAL_PROVIDER)
    return provider in _KEYS and bool(_KEYS[provider]() or settings.PROVIDERS_ARE_STANDINS)


def get_key(provider: str) -> str:
    """Return a provider's key; stand-ins never see a real one, and settings refuse to mix them."""
    return STAND_IN_KEY if settings.PROVIDERS_ARE_STANDINS else _KEYS[provider]()
