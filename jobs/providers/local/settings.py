"""The local provider's settings, as `imageskill.settings` takes them over."""

from imageskill.lib import env

LOCAL_PROVIDER = env.flag("LOCAL_PROVIDER", default=env.flag("DEVELOPMENT", default=False))
LOCAL_CONCURRENCY = env.integer("LOCAL_CONCURRENCY", 8)
