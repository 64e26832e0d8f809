"""What the rest of the project knows of a vendor: one description in each vendor's folder."""

from dataclasses import dataclass

from django.conf import settings

from imageskill.lib.secrets import SecretPattern

STAND_IN_KEY = "stand-in"
"""What a stand-in is shown in place of a key."""


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """A vendor. Its settings are named by prefix: `FAL_CONCURRENCY`, `FAL_TIMEOUT_S`.

    `name` is the `provider_id` of registry rows, `adapter` the dotted path of its adapter, which
    is loaded when it is first called. One setting decides whether it can be called at all:
    `key_setting` holds its key, or `switch_setting` is on where it needs none. `key_pattern` is
    what its keys look like, for whatever must not show one.
    """

    name: str
    adapter: str
    key_setting: str = ""
    key_pattern: SecretPattern | None = None
    switch_setting: str = ""
    shown_settings: tuple[str, ...]

    @property
    def is_configured(self) -> bool:
        """Whether it has what calls need: a key, a stand-in, or the switch being on."""
        if self.switch_setting:
            return bool(getattr(settings, self.switch_setting))
        return bool(getattr(settings, self.key_setting) or settings.PROVIDERS_ARE_STANDINS)

    @property
    def key(self) -> str:
        """Its key; stand-ins never see a real one, and settings refuse to mix them."""
        if settings.PROVIDERS_ARE_STANDINS:
            return STAND_IN_KEY
        key: str = getattr(settings, self.key_setting)
        return key

    @property
    def max_concurrency(self) -> int:
        """How many runs it may have at once, over all workers."""
        limit: int = getattr(settings, f"{self.name.upper()}_CONCURRENCY")
        return limit
