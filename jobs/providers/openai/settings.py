"""OpenAI's settings, as `imageskill.settings` takes them over."""

from imageskill.lib import env
from jobs.providers import keys

OPENAI_API_KEY = keys.checked(env.text("OPENAI_API_KEY"))
OPENAI_BASE_URL = env.text("OPENAI_BASE_URL", "https://api.openai.com/v1").rstrip("/")
OPENAI_TIMEOUT_S = env.integer("OPENAI_TIMEOUT_S", 600)  # of the whole job
OPENAI_CONCURRENCY = env.integer("OPENAI_CONCURRENCY", 50)
