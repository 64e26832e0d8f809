"""xAI's settings, as `imageskill.settings` takes them over."""

from imageskill.lib import env
from jobs.providers import keys

XAI_API_KEY = keys.checked(env.text("XAI_API_KEY"))
XAI_BASE_URL = env.text("XAI_BASE_URL", "https://api.x.ai/v1").rstrip("/")
XAI_OUTPUT_HOSTS = env.words("XAI_OUTPUT_HOSTS", "*.x.ai")
XAI_TIMEOUT_S = env.integer("XAI_TIMEOUT_S", 300)  # of the whole job
XAI_CONCURRENCY = env.integer("XAI_CONCURRENCY", 50)
