"""Each of the sponsor's pages: accessible in light and dark, and whole on a small screen."""

import time
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from accounts.claims import decisions, inboxes
from accounts.models import Agent, Claim, User
from feedback.models import Report
from imageskill.lib import clock
from tests.accounts.claiming import request_of
from tests.cast import Signed, sign_up
from tests.live import Live
from tests.pages import addresses
from tests.pages.conftest import Home, failed, home, made

__all__ = ["home"]

SMALL = {"width": 360, "height": 740}


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    """How the viewer likes it."""
    return str(request.param)


@pytest.fixture
def watched(page: Page, scheme: str) -> Iterator[Page]:
    """A small page that takes any complaint of the browser for a failure."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_viewport_size(SMALL)  # type: ignore[arg-type]
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    yield page
    assert complaints == []


def _check(page: Page, url: str) -> None:
    answer = page.goto(url)
    assert answer is not None
    assert answer.ok, url
    page.wait_for_load_state("networkidle")
    too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert too_wide <= 0, f"{url} is {too_wide} px too wide"
    found = Axe().run(page)
    assert found.violations_count == 0, f"{url}\n{found.generate_report()}"


def _sign_in(page: Page, live: Live, user: User) -> None:
    client = Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "code", "at": time.time()}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live.url}])


class TestSignedIn:
    def test_every_page_is_accessible_and_fits(
        self, live: Live, watched: Page, agent: Signed, home: Home, sponsor: User
    ) -> None:
        Agent.objects.filter(pk=agent.agent.pk).update(cap_credits_per_day=10)
        made(agent)
        failed(agent, code="TIMEOUT")
        Report.objects.create(
            agent=agent.agent, organization=agent.organization, type="bug", title="It is slow"
        )
        asks = sign_up(name="asks", contact=sponsor.email)
        made(asks)
        _sign_in(watched, live, sponsor)
        pages = [url for method, url in addresses.of(agent, home) if method == addresses.READ]
        pages += [
            reverse(name)
            for name in (
                "my_agents",
                "my_account",
                "outbox",
                "account_email",
                "account_reauthenticate",
                "mfa_index",
                "mfa_add_webauthn",
                "mfa_activate_totp",
            )
        ]
        pages += [
            reverse(name, args=[request_of(asks).public_id]) for name in ("claim", "claim_pass_on")
        ]

        for url in pages:
            _check(watched, live.url + url)


class TestSignedOut:
    def test_every_page_is_accessible_and_fits(
        self, live: Live, watched: Page, transactional_db: None
    ) -> None:
        signed = sign_up(name="an agent with quite a long name that nobody chose to shorten")
        token = "a-token-of-the-tests"
        Claim.objects.filter(agent=signed.agent).update(
            digest=decisions.hash_token(token), mailed_at=clock.now()
        )
        stop = inboxes.unsubscribe_link("agent-ops@example.com").split("/", 3)[3]

        pages = ("/account/login/", "/account/login/password/", f"/claim/{token}", f"/{stop}")
        for url in ("/", *pages):
            _check(watched, live.url + url)


class TestOlderPictures:
    def test_come_in_place_where_scripts_run(
        self, live: Live, watched: Page, agent: Signed, home: Home, sponsor: User
    ) -> None:
        for _ in range(25):
            made(agent, credits=1)
        _sign_in(watched, live, sponsor)
        address = live.url + reverse("agent_images", args=[agent.id])
        watched.goto(address)
        assert watched.locator("#list figure").count() == 24

        watched.get_by_role("link", name="Next images").click()

        expect(watched.locator("#list figure")).to_have_count(26)
        expect(watched.get_by_role("link", name="Next images")).to_have_count(0)
        assert watched.url == address

    def test_come_on_a_page_of_their_own_without(
        self, live: Live, browser: Browser, agent: Signed, home: Home, sponsor: User
    ) -> None:
        for _ in range(25):
            made(agent, credits=1)
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        _sign_in(page, live, sponsor)
        page.goto(live.url + reverse("agent_images", args=[agent.id]))

        page.get_by_role("link", name="Next images").click()

        expect(page.locator("#list figure")).to_have_count(2)
        context.close()
