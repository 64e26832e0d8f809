"""Which proxy to use for a URL: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as sandboxes set them."""

from base64 import b64encode
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit


class Proxy(NamedTuple):
    """Where the proxy listens, and the headers that it wants."""

    host: str
    port: int
    headers: dict[str, str]


def proxy_for(url: str, environment: Mapping[str, str]) -> Proxy | None:
    """Find the proxy for a URL; none for this machine's own addresses."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    proxy = urlsplit(_read_variable(f"{parts.scheme}_proxy", environment))
    if not proxy.hostname or _is_local(host) or _is_excluded(host, environment):
        return None
    return Proxy(proxy.hostname, proxy.port or 80, _headers(proxy.username, proxy.password))


def _read_variable(name: str, environment: Mapping[str, str]) -> str:
    value = (environment.get(name) or environment.get(name.upper()) or "").strip()
    return value if "://" in value or not value else f"http://{value}"


def _is_local(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")


def _is_excluded(host: str, environment: Mapping[str, str]) -> bool:
    listed = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    names = [
        name.strip().lower().removeprefix("*.").removeprefix(".") for name in listed.split(",")
    ]
    return "*" in names or any(
        name and (host == name or host.endswith(f".{name}")) for name in names
    )


def _headers(user: str | None, password: str | None) -> dict[str, str]:
    if user is None:
        return {}
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
