"""Members of staff at work in the console, each in a browser of their own."""

import base64
import hashlib
import hmac
import struct
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from accounts.models import User
from tests.live import Live

# Signs somebody in at an installation and gives the page; `watched=False` lets it complain.
ENTER = Callable[..., Page]


def app_code(secret: str) -> str:
    """Show what an authenticator app would show now (RFC 6238)."""
    key = base64.b32decode(secret)
    moment = struct.pack(">Q", int(time.time()) // 30)
    mac = hmac.new(key, moment, hashlib.sha1).digest()
    start = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def watch(page: Page, live: Live, complaints: list[str]) -> None:
    """Collect what the browser complains of, and every request that leaves the installation."""

    def left(url: str) -> None:
        if url.startswith("http") and urlsplit(url).netloc != urlsplit(live.url).netloc:
            complaints.append(f"asked another host: {url}")

    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: left(request.url))


@pytest.fixture
def enter(browser: Browser, signed_in: Callable[[User], Client]) -> Iterator[ENTER]:
    """Sign staff in, each in a fresh profile; what their browsers complain of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_for(user: User, live: Live, *, watched: bool = True) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(30_000)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live.url)
        contexts.append(context)
        cookie = signed_in(user).cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live.url}])
        page = context.new_page()
        if watched:
            watch(page, live, complaints)
        return page

    yield open_for
    for context in contexts:
        context.close()
    assert complaints == []
