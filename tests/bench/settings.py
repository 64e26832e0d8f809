"""The product's settings, with one address more: what a bare view costs on the same server."""

from imageskill.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.urls"
