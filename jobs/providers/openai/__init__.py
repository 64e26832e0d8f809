"""OpenAI's image API."""

from imageskill.lib.secrets import WORD_START, SecretPattern
from jobs.providers.vendor import Vendor

VENDOR = Vendor(
    name="openai",
    adapter="jobs.providers.openai.adapter.OpenAIProvider",
    key_setting="OPENAI_API_KEY",
    key_pattern=SecretPattern(
        rf"{WORD_START}sk-[\w-]{{16,}}|{WORD_START}sess-\w{{24,}}",
        joined=r"sk-(?:proj|svcacct|admin)-[A-Za-z0-9]{16,}",
    ),
    shown_settings=("OPENAI_CONCURRENCY", "OPENAI_TIMEOUT_S"),
)
