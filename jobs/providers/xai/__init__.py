"""xAI's image API."""

from imageskill.lib.secrets import WORD_START, SecretPattern
from jobs.providers.vendor import Vendor

VENDOR = Vendor(
    name="xai",
    adapter="jobs.providers.xai.adapter.XAIProvider",
    key_setting="XAI_API_KEY",
    key_pattern=SecretPattern(
        rf"{WORD_START}xai-[A-Za-z0-9]{{16,}}", joined=r"xai-[A-Za-z0-9]{24,}"
    ),
    shown_settings=("XAI_CONCURRENCY", "XAI_TIMEOUT_S"),
)
