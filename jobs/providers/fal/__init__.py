"""fal: its queue and its errors."""

from imageskill.lib.secrets import SecretPattern
from jobs.providers.vendor import Vendor

# In the header of a call a key may be any two words with a colon: an older or a test key.
_HEADER = r"(?i:key)\s{1,64}[\w.-]{4,128}:[\w.-]{4,}"
_KEY = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9a-f]{16,}"

VENDOR = Vendor(
    name="fal",
    adapter="jobs.providers.fal.adapter.FalProvider",
    key_setting="FAL_KEY",
    key_pattern=SecretPattern(f"{_KEY}|{_HEADER}", joined=_KEY),
    shown_settings=("FAL_CONCURRENCY", "FAL_TIMEOUT_S"),
)
