"""What our requests carry beyond Django's, and who is calling."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any, TypedDict

from django.conf import settings
from django.http import HttpRequest


class Actor(TypedDict):
    """Who acts, as the envelope tells it."""

    actor_type: str
    actor_id: str
    organization_id: str | None
    claim_state: str | None


class ApiRequest(HttpRequest):
    """A request to the API, as the API middleware prepares it (a type to read by, not to make)."""

    trace_id: str
    command: str
    warnings: list[str]
    actor: Actor | None
    auth: Any  # accounts.models.Agent once authenticated; the kernel knows no model


def client_ip(request: HttpRequest) -> str:
    """Return the caller's address: the socket's, unless trusted proxies stand in between.

    With TRUSTED_PROXIES set, X-Forwarded-For is read from the right, past trusted addresses
    only, so that a caller can't choose its own.
    """
    return address_of(request.META)


def address_of(meta: Mapping[str, Any]) -> str:
    """Return the caller's address as `client_ip` does, of a WSGI environment."""
    address: str = meta.get("REMOTE_ADDR") or "127.0.0.1"
    trusted = settings.TRUSTED_PROXIES
    if not trusted or not is_in_networks(address, trusted):
        return address
    forwarded = meta.get("HTTP_X_FORWARDED_FOR", "").split(",")
    for hop in (_without_port(part.strip()) for part in reversed(forwarded)):
        if not _is_address(hop):
            break
        address = hop
        if not is_in_networks(hop, trusted):
            break
    return address


def network_of(address: str) -> str:
    """Return the network that limits count by: the address itself for IPv4, its /64 for IPv6."""
    return networks_of(address)[0]


def networks_of(address: str) -> list[str]:
    """Return the networks of an address, narrowest first: one for IPv4, /64, /56, /48 for IPv6.

    Anybody can get a /48, which holds 65,536 networks of the size that one customer has.
    """
    ip = ip_address(address)
    if ip.version == 6 and ip.ipv4_mapped:
        return [str(ip.ipv4_mapped)]
    if ip.version == 4:
        return [str(ip)]
    return [str(ip_network(f"{ip}/{bits}", strict=False)) for bits in (64, 56, 48)]


def is_loopback(address: str) -> bool:
    """Return whether the caller is on this machine."""
    return _is_address(address) and ip_address(address).is_loopback


def is_in_networks(address: str, networks: list[str]) -> bool:
    """Return whether an address lies in one of the networks (or is one of the addresses)."""
    if not _is_address(address):
        return False
    ip = ip_address(address)
    return any(ip in ip_network(network, strict=False) for network in networks)


def _without_port(hop: str) -> str:
    """Return a hop's address: some proxies write `192.0.2.1:1234` and `[2001:db8::1]:1234`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
