"""One table of what secrets look like; whoever reads for them finds each of its samples."""

import contextlib
import time

import pytest

from billing.purchases import card_data
from feedback import redaction
from imageskill.lib import secrets
from tests.secret_samples import HARMLESS, SAMPLES, SPLIT_SAMPLES


class TestEveryReader:
    @pytest.mark.parametrize("name", SAMPLES)
    def test_logs_strike_it_out(self, name):
        sample = SAMPLES[name]
        line = secrets.redact(f"before {sample} after")
        assert line == "before [secret] after"

    @pytest.mark.parametrize("name", SAMPLES)
    def test_reports_lose_it(self, name):
        done = redaction.redact(f"before {SAMPLES[name]} after")
        assert SAMPLES[name].split()[-1] not in done.text
        assert done.text.startswith("before [")
        assert done.text.endswith("] after")

    @pytest.mark.parametrize("name", SAMPLES)
    def test_credits_refuse_it(self, name):
        assert card_data.is_credential(f"before {SAMPLES[name]} after")

    @pytest.mark.parametrize("name", SPLIT_SAMPLES)
    def test_reports_that_hold_it_split_are_refused(self, name):
        with pytest.raises(redaction.UnsafeText):
            redaction.redact("look: " + " ".join(SAMPLES[name]))


class TestWhatIsNone:
    @pytest.mark.parametrize("text", HARMLESS)
    def test_stays(self, text):
        assert not secrets.contains(text)
        assert secrets.redact(text) == text
        assert not card_data.is_credential(text)


class TestRegister:
    def test_a_vendor_adds_what_its_keys_look_like(self, monkeypatch):
        monkeypatch.setattr(secrets, "_PATTERNS", dict(secrets._PATTERNS))
        assert not secrets.contains("newvendor-1234567890")
        try:
            secrets.register("new", secrets.SecretPattern(r"newvendor-\d{10}"))
            assert secrets.contains("newvendor-1234567890")
        finally:
            secrets.tokens.cache_clear()
            secrets.joined.cache_clear()


HOSTILE = (
    "eyJ",
    "-eyJ",
    "eyJaaaaaaaa.",
    "sk-",
    "key ",
    "key\t" * 3 + " " * 60,
    "bearer a",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN",
    "PRIVATE KEY",
    "SG." + "a" * 20,
    "gsk_",
    "token ",
    "secret=\n",
    "12345678-1234-1234-1234-123456789abc:",
    "\n \n",
    "cs_test_secret",
)


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("start", ["", "ghp_a1B2c3D4e5F6g7H8i9J0"])
def test_hostile_text_takes_linear_time(piece, start):
    text = start + piece * (60_000 // len(piece))
    began = time.process_time()
    secrets.redact(text)
    card_data.is_credential(text)
    with contextlib.suppress(redaction.UnsafeText):
        redaction._cut(redaction.RedactedText(text), redaction._secrets(secrets.tokens()), "x")
    assert time.process_time() - began < 1
