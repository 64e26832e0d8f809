"""What each vendor's settings do with its key; read by them while settings load."""

from django.core.exceptions import ImproperlyConfigured

from imageskill.lib import env


def checked(key: str) -> str:
    """Return a vendor's key. Raises `ImproperlyConfigured` beside stand-ins for providers.

    A stand-in must never see a real key, and a real provider is not called by mistake.
    """
    if key and "providers" in env.names("STANDINS"):
        raise ImproperlyConfigured("STANDINS must not include providers if a provider has a key.")
    return key
