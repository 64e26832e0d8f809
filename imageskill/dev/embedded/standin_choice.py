"""Which vendors to stand in for."""

from collections.abc import Mapping

from imageskill.lib.env import split_names

NAMES = ("stripe", "github", "providers")
WEBHOOK_SECRETS = {"stripe": "STRIPE_WEBHOOK_SECRET", "github": "GITHUB_WEBHOOK_SECRET"}
_DEFAULTS = {"stripe": ("STRIPE_SECRET_KEY",), "github": ("GITHUB_TOKEN", "GITHUB_APP_ID")}


def selected(env: Mapping[str, str]) -> list[str]:
    """Return the stand-ins that `STANDINS` names; settings.py reads it in the same way.

    Without it: stripe and github, each where it has no credentials, and in development only.
    Raises RuntimeError for an unknown name.
    """
    named = split_names(env.get("STANDINS", ""))
    if not named:
        development = env.get("DEVELOPMENT", "").lower() in ("1", "true", "yes", "on")
        return [
            name
            for name, credentials in _DEFAULTS.items()
            if development and not any(_has(env, one) for one in credentials)
        ]
    if named == ["none"]:
        return []
    unknown = sorted(set(named) - set(NAMES))
    if unknown:
        raise RuntimeError(f"STANDINS knows {', '.join(NAMES)} or none; not {', '.join(unknown)}")
    return [name for name in NAMES if name in named]


def _has(env: Mapping[str, str], name: str) -> bool:
    return bool(env.get(name) or env.get(f"{name}_FILE"))
