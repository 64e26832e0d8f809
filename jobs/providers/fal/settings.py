"""fal's settings, as `imageskill.settings` takes them over."""

from django.core.exceptions import ImproperlyConfigured

from imageskill.lib import env
from jobs.providers import keys

_KEY_ID = env.text("FAL_KEY_ID")  # the key in two parts, as fal's clients accept it
_KEY_SECRET = env.text("FAL_KEY_SECRET")

FAL_KEY = keys.checked(env.text("FAL_KEY"))
if FAL_KEY and (_KEY_ID or _KEY_SECRET):
    raise ImproperlyConfigured("Set FAL_KEY, or FAL_KEY_ID and FAL_KEY_SECRET, not both.")
if bool(_KEY_ID) != bool(_KEY_SECRET):
    raise ImproperlyConfigured("FAL_KEY_ID and FAL_KEY_SECRET must be set together.")
if _KEY_ID:
    FAL_KEY = keys.checked(f"{_KEY_ID}:{_KEY_SECRET}")
FAL_QUEUE_BASE_URL = env.text("FAL_QUEUE_BASE_URL", "https://queue.fal.run").rstrip("/")
FAL_OUTPUT_HOSTS = env.words("FAL_OUTPUT_HOSTS", "*.fal.media,storage.googleapis.com")
FAL_TIMEOUT_S = env.integer("FAL_TIMEOUT_S", 60)  # of one call; the job can take JOB_DEADLINE_S
FAL_CONCURRENCY = env.integer("FAL_CONCURRENCY", 200)  # concurrent jobs of all workers
