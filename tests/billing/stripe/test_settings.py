"""Settings with which nothing starts: each would lose payments or mix play with money."""

import os
import subprocess
import sys

import pytest

LIVE = "sk_live_" + "x" * 24
BASE = {
    "SECRET_KEY": "good-for-tests-only",
    "DATABASE_URL": "postgresql:///none",
    "REDIS_URL": "redis://localhost",
}


def start(**env):
    """Load the settings in a process of their own; give what stopped it."""
    done = subprocess.run(
        [sys.executable, "-c", "import imageskill.settings"],
        env={"PATH": os.environ["PATH"], **BASE, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""


class TestStart:
    def test_without_stripe_it_starts(self):
        assert start() == ""

    def test_with_key_and_secret_it_starts(self):
        assert start(STRIPE_SECRET_KEY=LIVE, STRIPE_WEBHOOK_SECRET="whsec_1,whsec_2") == ""

    @pytest.mark.parametrize("secret", ["", " ", ",", " , "])
    def test_a_key_without_a_webhook_secret_does_not(self, secret):
        stopped = start(STRIPE_SECRET_KEY="sk_test_1", STRIPE_WEBHOOK_SECRET=secret)
        assert "STRIPE_WEBHOOK_SECRET" in stopped

    def test_a_stand_in_beside_a_live_key_does_not(self):
        stopped = start(
            STRIPE_SECRET_KEY=LIVE,
            STRIPE_WEBHOOK_SECRET="whsec_1",
            STRIPE_API_BASE_URL="http://127.0.0.1:9",
        )
        assert "live key" in stopped
        assert LIVE not in stopped

    @pytest.mark.parametrize("minutes", ["30", "1440"])
    def test_sessions_that_stripe_would_refuse_do_not(self, minutes):
        assert "CHECKOUT_SESSION_MINUTES" in start(CHECKOUT_SESSION_MINUTES=minutes)
