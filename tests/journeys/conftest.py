"""A running installation that sells by the stand-in for Stripe."""

from collections.abc import Callable, Iterator

import pytest

from imageskill.dev.standins.server import serve
from imageskill.dev.standins.stripe import StripeStandIn
from tests.live import Live


@pytest.fixture
def service(launch: Callable[..., Live]) -> Iterator[Live]:
    """Web and worker of this test's own."""
    with serve(StripeStandIn()) as stripe:
        yield launch(
            STRIPE_API_BASE_URL=stripe,
            STRIPE_SECRET_KEY="sk_test_standin",
            STRIPE_WEBHOOK_SECRET="whsec_for_tests",
        )
