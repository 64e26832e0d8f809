"""What `make run` prints once everything runs."""

from collections.abc import Mapping
from urllib.parse import urlsplit

_FIRST_IMAGE = r"""
TOKEN=$(curl -fsS {api}/v1/agent-signups -H 'Content-Type: application/json' \
  -d '{{"agent_name": "first-agent", "runtime": "curl"}}' \
  | grep -o 'isk_r_[A-Za-z0-9_-]*' | head -1) \
&& curl -fsS {api}/v1/create -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
  -d '{{"prompt": "a lighthouse above a quiet sea at dawn", "model": "local.sketch"}}'
"""


def render(env: Mapping[str, str], invitation: str | None, *, seconds: float) -> str:
    """Return the addresses, the admin's invitation and one command that makes a first image."""
    api = (env.get("PUBLIC_API_URL") or f"http://localhost:{env['PORT']}").rstrip("/")
    site = (env.get("PUBLIC_SITE_URL") or api).rstrip("/")
    console, path = _console_url(env, site)
    lines = [
        f"Image Skill runs ({seconds:.0f} s).",
        "",
        f"  API            {api}/v1/models",
        f"  Description    {api}/v1/openapi.json",
        f"  Health         {api}/healthz",
        f"  Sponsors       {site}/",
        f"  Console        {console}{path}",
        f"  Data and logs  {env['DATA_DIR']}",
    ]
    if invitation:
        address, password = invitation.split()
        lines += [
            "",
            f"Sign in to the console as {address} with {password} (good for one sign-in):",
            f"  {console}/account/login/password/?next={path}",
        ]
    stand_ins = {
        "Stripe": env.get("STRIPE_API_BASE_URL"),
        "GitHub": env.get("GITHUB_API_BASE_URL"),
        "Providers": env.get("FAL_QUEUE_BASE_URL"),
    }
    shown = [f"  {name:14} {url}" for name, url in stand_ins.items() if url]
    lines += ["", "Not the real ones:", *shown] if shown else []
    lines += ["", "An agent's first image:", _FIRST_IMAGE.format(api=api), "Ctrl-C stops it all."]
    return "\n".join(lines)


def _console_url(env: Mapping[str, str], site: str) -> tuple[str, str]:
    """Return where the settings put the console: its origin, and its path there."""
    path = "/" + (env.get("ADMIN_PATH") or "admin").strip("/") + "/"
    host = env.get("ADMIN_HOST")
    if not host:
        return site, path
    parts = urlsplit(site)
    port = "" if ":" in host or parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}", path
