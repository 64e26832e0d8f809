"""Settings from the environment."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from imageskill.lib import env


class TestIntegersByName:
    def test_are_read(self, monkeypatch):
        monkeypatch.setenv("LIMITS", "finance=10000, lead support=5000")
        read = env.integers_by_name("LIMITS", known=["finance", "lead support", "operator"])
        assert read == {"finance": 10_000, "lead support": 5_000}

    @pytest.mark.parametrize("value", ["finanse=1", "finance=much", "finance"])
    def test_that_would_do_nothing_stop_the_start(self, monkeypatch, value):
        monkeypatch.setenv("LIMITS", value)
        with pytest.raises(ImproperlyConfigured, match="LIMITS"):
            env.integers_by_name("LIMITS", known=["finance"])
