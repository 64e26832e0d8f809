"""Jobs without waiting: create answers at once, workers' steps run when a test says so."""

from typing import Any

import pytest

from tests.jobs.sample_images import noise


@pytest.fixture(autouse=True)
def _at_once(settings: Any) -> None:
    """Answer 202 at once; `drain` then does the worker's part."""
    settings.CREATE_WAIT_S = 0
    settings.LOCAL_PROVIDER = True


@pytest.fixture
def png() -> bytes:
    """A real image, none like another."""
    return noise("PNG")
