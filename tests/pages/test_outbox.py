"""The page of mails that development keeps; elsewhere it does not exist."""

import re
from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db


@pytest.fixture
def outbox(settings: Settings, tmp_path: Path) -> None:
    """A mail in a folder of its own."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    mail = EmailMultiAlternatives(
        "Gruß", "Ein „Wort“: http://localhost/x", to=["sponsor@example.com"]
    )
    mail.attach_alternative("<p>Ein Wort</p>", "text/html")
    mail.send()


class TestTheOutbox:
    @pytest.mark.usefixtures("outbox")
    def test_shows_what_would_have_been_sent(self) -> None:
        client = Client()

        listed = client.get("/outbox")
        [path] = re.findall(r'href="(/outbox/[^"]+)"', listed.text)

        assert "Gruß" in listed.text
        assert "sponsor@example.com" in listed.text
        shown = client.get(path)
        assert 'href="http://localhost/x"' in shown.text
        assert "Ein „Wort“" in shown.text

    def test_is_empty_with_a_word_on_how_it_fills(self, settings: Settings, tmp_path: Path) -> None:
        settings.EMAIL_FILE_PATH = str(tmp_path / "nothing")

        assert "No emails yet" in Client().get("/outbox").text

    def test_does_not_exist_outside_development(self, settings: Settings) -> None:
        settings.HAS_OUTBOX_PAGE = False

        assert Client().get("/outbox").status_code == 404
        assert Client().get("/outbox/any").status_code == 404


class TestAMissingPage:
    def test_says_so_in_words(self) -> None:
        answer = Client().get("/nowhere")

        assert answer.status_code == 404
        assert "Page not found" in answer.text
