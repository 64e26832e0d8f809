"""The fixture `providers`: fal, OpenAI and xAI on loopback, at ease."""

import pytest

from imageskill.dev.standins.providers import server
from imageskill.dev.standins.server import serve


@pytest.fixture(scope="session")
def _served():
    stand_in = server.ProvidersStandIn()
    with serve(stand_in) as base_url:
        yield stand_in, base_url


@pytest.fixture
def providers(_served, settings):
    """The stand-ins of all three providers, at ease and with the settings that lead to them."""
    stand_in, base_url = _served
    stand_in.reset()
    for name, value in server.settings(base_url).items():
        setattr(settings, name, value)
    settings.FAL_KEY = "fal-id:fal-secret"
    settings.OPENAI_API_KEY = "openai-key"
    settings.XAI_API_KEY = "xai-key"
    settings.PROVIDER_RETRY_S = 3
    yield stand_in
    stand_in.reset()
