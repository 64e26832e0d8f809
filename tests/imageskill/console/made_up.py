"""A small made-up history of which every list has something, told once for a whole module."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.test import override_settings

from imageskill.dev.demo import history
from imageskill.dev.demo.runtime.timeline import one_transaction
from jobs.catalog import switches

SMALL = history.Size(agents=25, jobs=80, reports=25)


@contextmanager
def told(blocker: Any, folders: Any) -> Iterator[None]:
    """Make it, outside of any single test, and take it back afterwards."""
    storage = override_settings(MEDIA_ROOT=folders.mktemp("media"))
    with blocker.unblock(), storage, one_transaction():
        history.make(seed=1, size=SMALL, say=lambda text: None)
        yield
        transaction.set_rollback(True)
    switches.clear_cache()  # one model was switched off
