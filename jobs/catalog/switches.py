"""Disable and enable models and providers without a deploy."""

import time
from typing import NamedTuple

from django.db import transaction

from accounts import audit
from accounts.models import User
from imageskill.lib import clock
from imageskill.lib.errors import Detail, InvalidArguments
from jobs import registry
from jobs.models.switches import Switch

CACHE_S = 2.0


class DisabledNames(NamedTuple):
    """The names of disabled models and providers."""

    models: frozenset[str]
    providers: frozenset[str]

    def names(self, *, model_id: str, provider_id: str) -> bool:
        """Return whether a model is disabled, by itself or with its provider."""
        return model_id in self.models or provider_id in self.providers


_cached: tuple[float, DisabledNames] | None = None


def disabled() -> DisabledNames:
    """Return what is disabled; at most two seconds old."""
    global _cached
    now = time.monotonic()
    if _cached is None or now - _cached[0] > CACHE_S:
        _cached = now, _read()
    return _cached[1]


def set_enabled(*, kind: str, name: str, is_on: bool, user: User | None, reason: str) -> Switch:
    """Enable or disable a model or provider; the audit log records who and why.

    Raises `InvalidArguments` for a name unknown to the registry, or without a reason.
    """
    if name not in _names(kind):
        raise InvalidArguments(details=[Detail(field="name", message=f"is not a known {kind}")])
    if not reason.strip():
        raise InvalidArguments(details=[Detail(field="reason", message="is required")])
    with transaction.atomic():
        before = Switch.objects.select_for_update().filter(kind=kind, name=name).first()
        switch, _ = Switch.objects.update_or_create(
            kind=kind,
            name=name,
            defaults={
                "is_on": is_on,
                "reason": reason.strip()[:300],
                "changed_by": user,
                "changed_at": clock.now(),
            },
        )
        audit.record(
            user=user,
            action=f"{kind}.switched_{'on' if is_on else 'off'}",
            subject=name,
            reason=reason,
            before={"is_on": before is None or before.is_on},
            after={"is_on": is_on},
        )
        transaction.on_commit(clear_cache)
    return switch


def clear_cache() -> None:
    """Forget the cached names, so that the next call reads them."""
    global _cached
    _cached = None


def _read() -> DisabledNames:
    rows = Switch.objects.filter(is_on=False).values_list("kind", "name")
    names: dict[str, set[str]] = {Switch.Kind.MODEL: set(), Switch.Kind.PROVIDER: set()}
    for kind, name in rows:
        names[kind].add(name)
    return DisabledNames(
        models=frozenset(names[Switch.Kind.MODEL]),
        providers=frozenset(names[Switch.Kind.PROVIDER]),
    )


def _names(kind: str) -> set[str]:
    if kind == Switch.Kind.MODEL:
        return {model.id for model in registry.models()}
    return {model.provider for model in registry.models()}
