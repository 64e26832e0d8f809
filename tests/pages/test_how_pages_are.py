"""What holds for every page: few statements, few bytes, nothing from elsewhere, nothing inline."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from tests.accounts.claiming import request_of
from tests.cast import Signed, sign_up
from tests.pages import addresses
from tests.pages.conftest import LOOKS, Home, bought, failed, made

pytestmark = pytest.mark.django_db
MOST_STATEMENTS = 10
MOST_BYTES = 100_000


def _reads(agent: Signed, home: Home, sponsor: User) -> list[str]:
    signed = sign_up(name="asks", contact=sponsor.email)
    made(signed)
    pages = [url for method, url in addresses.of(agent, home) if method == addresses.READ]
    return [
        *pages,
        reverse("my_agents"),
        reverse("my_account"),
        reverse("claim", args=[request_of(signed).public_id]),
    ]


@contextmanager
def _at_most(number: int, url: str) -> Iterator[None]:
    with CaptureQueriesContext(connection) as queries:
        yield
    shown = "\n".join(query["sql"][:120] for query in queries)
    assert len(queries) <= number, f"{url}: {len(queries)} statements\n{shown}"


class TestStatements:
    def test_stay_at_ten_however_much_there_is(
        self, agent: Signed, home: Home, sponsor: User, looking_as: LOOKS
    ) -> None:
        for n in range(4):
            other = sign_up(name=f"agent {n}", contact="")
            other.organization.owner = sponsor
            other.organization.save()
            made(other)
        for _ in range(6):
            made(agent)
            failed(agent)
            bought(agent, credits=20)
        client = looking_as(sponsor)

        for url in _reads(agent, home, sponsor):
            with _at_most(MOST_STATEMENTS, url):
                assert client.get(url).status_code == 200


class TestWeight:
    def test_is_below_a_hundred_kilobytes_with_style_and_scripts(
        self, agent: Signed, home: Home, sponsor: User, looking_as: LOOKS
    ) -> None:
        for _ in range(30):
            made(agent, credits=1)
        client = looking_as(sponsor)

        for url in _reads(agent, home, sponsor):
            html = client.get(url).text
            assets = re.findall(r'(?:src|href)="/static/([^"]+\.(?:css|js))"', html)
            size = len(html.encode())
            for asset in assets:
                path = finders.find(re.sub(r"\.[0-9a-f]{12}\.", ".", asset))
                assert isinstance(path, str), asset
                size += Path(path).stat().st_size
            assert size <= MOST_BYTES, f"{url}: {size}"


class TestPolicy:
    def test_allows_no_inline_script_or_style_and_no_other_host(
        self, agent: Signed, home: Home, sponsor: User, looking_as: LOOKS
    ) -> None:
        client = looking_as(sponsor)

        for url in _reads(agent, home, sponsor):
            answer = client.get(url)
            policy = answer.headers["Content-Security-Policy"]
            assert "unsafe" not in policy, url
            assert "default-src 'none'" in policy
            html = answer.text
            assert not re.search(r"\sstyle=|<style|\son\w+=", html), url
            assert not re.search(r"<script(?![^>]*(src=|application/json))", html), url
            loaded = re.findall(r'(?:src|<link[^>]*href)="(https?://[^/"]+)', html)
            assert set(loaded) <= {"http://localhost:8000"}, url


class TestLanguage:
    def test_and_title_and_main_part_are_on_every_page(
        self, agent: Signed, home: Home, sponsor: User, looking_as: LOOKS
    ) -> None:
        client = looking_as(sponsor)
        titles = set()

        urls = _reads(agent, home, sponsor)
        for url in urls:
            html = client.get(url).text
            assert '<html lang="en">' in html
            assert html.count("<h1") == 1, url
            assert html.count('<main id="main"') == 1
            [title] = re.findall(r"<title>(.*?)</title>", html)
            titles.add(title)

        assert len(titles) >= len(urls) - 1  # two jobs of one agent may share one
