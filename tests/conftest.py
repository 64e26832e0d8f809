"""What every test may ask for; the servers come from the plugin `tests.servers`."""

import gc
import os

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from hypothesis import settings

from imageskill.lib.redis.client import client

pytest_plugins = [
    "tests.stand_in_providers",
    "tests.caller",
    "tests.cast",
    "tests.chromium",
    "tests.database",
    "tests.demo_history",
    "tests.live",
    "tests.throwaway",
]

settings.register_profile("default", derandomize=True, deadline=None, max_examples=10)
settings.register_profile("soak", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

PBKDF2PasswordHasher.iterations = 10  # as they should be, one password takes half a second

_KEPT = ("_kombu.binding.", "canary:")  # the broker's own bookkeeping, and live workers' heartbeats


@pytest.fixture(autouse=True)
def _fresh_redis() -> None:
    """Start each test without limits used up, messages waiting or answers cached."""
    keys = [key for key in client().scan_iter(count=1000) if not key.startswith(_KEPT)]
    if keys:
        client().delete(*keys)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Return tests that commit the rows that migrations made: emptying the tables removes them."""
    for item in items:
        mark = item.get_closest_marker("django_db")
        commits = {"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
        if commits or (mark and mark.kwargs.get("transaction")):
            item.add_marker(
                pytest.mark.django_db(transaction=True, serialized_rollback=True), append=False
            )


def pytest_collection_finish() -> None:
    """Keep what is loaded by now out of the collector's rounds: it stays to the end."""
    gc.collect()
    gc.freeze()
