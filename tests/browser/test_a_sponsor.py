"""A person and their agent, from the mail to the end, in a real browser."""

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from imageskill.dev.standins.server import serve
from imageskill.dev.standins.stripe import StripeStandIn
from tests.live import Live

SPONSOR = "first-sponsor@example.org"
SECRET = "whsec_for_browsers"


@pytest.fixture
def shop_open(launch: Callable[..., Live]) -> Iterator[Live]:
    """An installation that can sell: with Stripe's stand-in, which posts its webhooks."""
    stand_in = StripeStandIn()
    with serve(stand_in) as base_url:
        live = launch(
            STRIPE_API_BASE_URL=base_url,
            STRIPE_SECRET_KEY="sk_test_standin",
            STRIPE_WEBHOOK_SECRET=SECRET,
        )
        stand_in.account.deliveries.start(url=f"{live.url}/webhooks/stripe", secret=SECRET)
        yield live


def _newest_mail(page: Page, live: Live, subject: str) -> str:
    """Open the newest mail of that subject in the development outbox and give its text."""
    link = page.get_by_role("link", name=re.compile(subject)).first
    for _ in range(40):
        page.goto(f"{live.url}/outbox")
        if link.is_visible():
            link.click()
            return page.locator(".mail").inner_text()
        page.wait_for_timeout(250)
    raise AssertionError(f"no mail {subject!r}\n{live.logs()}")


def _path_in(letter: str) -> str:
    """Return the link's path: the worker of another installation may have written the letter."""
    return re.findall(r"http://[^/]+(/claim/\w+)", letter)[0]


def _sign_in(page: Page, live: Live, address: str) -> None:
    page.get_by_label("Email").fill(address)
    page.get_by_role("button", name="Email me a code").click()
    expect(page.get_by_role("heading", name="Enter code")).to_be_visible()
    reading = page.context.new_page()
    letter = _newest_mail(reading, live, "sign-in code")
    reading.close()
    [code] = re.findall(r"^ {4}(\S+)$", letter, re.MULTILINE)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in").click()


class TestTheJourney:
    def test_from_signup_to_revoked(self, shop_open: Live, page: Page) -> None:
        live = shop_open
        signed = live.post(
            "/v1/agent-signups",
            json={"agent_name": "painter", "runtime": "tests", "agent_contact": SPONSOR},
        ).data

        # The mail, and the claim.
        letter = _newest_mail(page, live, "claim request from “painter”")
        page.goto(live.url + _path_in(letter))
        expect(page.get_by_role("heading", name="painter")).to_be_visible()
        page.get_by_role("link", name="Review and sign in").click()
        _sign_in(page, live, SPONSOR)
        expect(page.get_by_role("heading", name="What you would take over")).to_be_visible()
        page.get_by_label("Edit images").uncheck()
        page.get_by_label("Per month").fill("600")
        page.get_by_role("button", name="Claim painter").click()
        expect(page.get_by_text("You are now the sponsor of painter.")).to_be_visible()

        # What was granted binds; what the agent makes shows up.
        token = signed["token"]
        whoami = live.get("/v1/whoami", token=token).data
        assert whoami["claim_state"] == "claimed"
        assert "image.edit" not in whoami["grants"]
        assert whoami["caps"]["credits_per_month"] == 600
        made = live.post(
            "/v1/create",
            token=token,
            json={"prompt": "three hills at dusk", "model": "local.sketch"},
        ).data
        page.get_by_role("navigation", name="This agent").get_by_text("Images").click()
        image = page.locator(".gallery img").first
        for _ in range(40):
            if image.is_visible():
                break
            page.wait_for_timeout(250)
            page.reload()
        assert made["asset_ids"][0] in (image.get_attribute("src") or "")
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("image => image.naturalWidth") > 0

        # A pack, paid on Stripe's page.
        page.get_by_role("navigation", name="This agent").get_by_text("Credits").click()
        page.get_by_label("Starter").check()
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("link", name="Pay $5.00 with Stripe").click()
        page.get_by_role("button", name=re.compile("^Pay .*5")).first.click()
        expect(page.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
        page.goto(f"{live.url}/agents")
        page.get_by_role("link", name="painter", exact=True).click()
        page.get_by_role("navigation", name="This agent").get_by_text("Credits").click()
        page.get_by_role("link", name=re.compile("^TEST-")).click()
        expect(page.get_by_role("heading", name="Receipt")).to_be_visible()
        expect(page.get_by_role("row", name="Total 5.00 USD")).to_be_visible()
        assert (
            live.get("/v1/quota", token=token).data["limits"]["payment_backed_remaining_credits"]
            == 500
        )

        # The end of its token.
        page.goto(f"{live.url}/agents/{whoami['agent']['agent_id']}/settings")
        page.get_by_role("button", name="Revoke token").click()
        expect(page.get_by_text("Token revoked.")).to_be_visible()
        refused = live.get("/v1/whoami", token=token)
        assert refused.code == "AUTH_REQUIRED"
        assert refused.exit_code == 3


class TestAPasskey:
    def test_signs_in_without_a_mail(self, live: Live, page: Page) -> None:
        page.goto(f"{live.url}/account/login/")
        _sign_in(page, live, "second-sponsor@example.org")
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        devtools.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        page.goto(f"{live.url}/account")
        page.get_by_role("link", name="Add a passkey").click()
        page.get_by_role("link", name="Add a passkey").click()
        page.get_by_role("button", name="Add passkey").click()
        expect(page.get_by_text("Passkey added.")).to_be_visible()
        page.goto(f"{live.url}/account")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

        page.get_by_role("button", name="Use a passkey").click()

        expect(page.get_by_role("heading", name="My agents")).to_be_visible()

        # From now on a mailed code alone is not enough.
        page.goto(f"{live.url}/account")
        page.get_by_role("button", name="Sign out").click()
        _sign_in(page, live, "second-sponsor@example.org")
        expect(page).to_have_url(re.compile("/account/2fa/authenticate/"))
        assert Axe().run(page).violations_count == 0
        page.goto(f"{live.url}/agents")
        expect(page.get_by_role("heading", name="My agents")).not_to_be_visible()


class TestWithoutJavaScript:
    def test_the_way_to_a_claim_works(self, live: Live, browser: object) -> None:
        live.post(
            "/v1/agent-signups",
            json={
                "agent_name": "plain",
                "runtime": "tests",
                "agent_contact": "third-sponsor@example.org",
            },
        )
        context = browser.new_context(java_script_enabled=False)  # type: ignore[attr-defined]
        page = context.new_page()
        letter = _newest_mail(page, live, "claim request from “plain”")
        page.goto(live.url + _path_in(letter))
        page.get_by_role("link", name="Review and sign in").click()
        _sign_in(page, live, "third-sponsor@example.org")

        page.get_by_role("button", name="Claim plain").click()

        expect(page.get_by_text("You are now the sponsor of plain.")).to_be_visible()
        context.close()
