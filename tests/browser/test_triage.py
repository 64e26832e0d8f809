"""Triage in a real browser: keys, the review, promoting to GitHub, and what comes back."""

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from feedback.models import Report
from imageskill.dev.standins.github import GitHubStandIn
from imageskill.dev.standins.server import serve
from tests.imageskill.console.conftest import signed_in
from tests.live import Live

__all__ = ["signed_in"]

INBOX = "/admin/feedback-inbox/"
SECRET = "github-webhook-secret"

REPORTS = (
    {"title": "Wait ends before the job does", "severity": "high", "body": "@everyone look"},
    {"title": "Waiting ends before the job does", "severity": "medium"},
    {"title": "The price of an edit is missing", "severity": "critical"},
    {"title": "Colors are dull", "severity": "low"},
)


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    """GitHub's stand-in, on a port of its own."""
    stand_in = GitHubStandIn()
    with serve(stand_in) as base_url:
        stand_in.base_url = base_url
        yield stand_in


@pytest.fixture
def site(launch: Callable[..., Live], github: Any) -> Live:
    """An installation whose reports go to the stand-in, which posts its webhooks."""
    live = launch(
        GITHUB_API_BASE_URL=github.base_url,
        GITHUB_TOKEN="github_pat_standin",
        GITHUB_REPOSITORY="owner/name",
        GITHUB_WEBHOOK_SECRET=SECRET,
        GITHUB_QUEUE_MODE="live",
    )
    github.webhook_url, github.webhook_secret = f"{live.url}/webhooks/github", SECRET
    return live


@pytest.fixture
def inbox(site: Live, page: Page, signed_in: Any, triager: Any, agent: Any, stranger: Any) -> Page:
    """The inbox, with four reports by two agents, as triage sees it."""
    for number, report in enumerate(REPORTS):
        by = stranger if number == 1 else agent
        fields = {"body": "what happened", "dedupe_key": str(number), "surface": ["cli"], **report}
        site.post("/v1/feedback", json=fields, token=by.token)
    cookie = signed_in(triager).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": site.url}])
    page.goto(site.url + INBOX)
    return page


class TestInbox:
    def test_from_report_to_closed_issue_by_keys(
        self, inbox: Page, site: Live, github: GitHubStandIn, agent: Any
    ) -> None:
        panel = inbox.locator("[data-panel]")
        heading = panel.get_by_role("heading", level=2)
        expect(heading).to_have_text("Colors are dull")

        # Down the list, and one is declined with a reason.
        inbox.keyboard.press("n")
        expect(inbox.get_by_text("1 report changes.")).to_be_visible()
        inbox.get_by_label("Reason").fill("a matter of taste")
        inbox.get_by_role("button", name="Decline").click()
        expect(inbox.get_by_role("status")).to_have_text("1 of 1 done.")
        inbox.get_by_role("link", name="Back to the Feedback inbox").click()

        # A likely duplicate is merged into the older one.
        expect(heading).to_have_text("The price of an edit is missing")
        inbox.keyboard.press("j")
        expect(heading).to_have_text("Waiting ends before the job does")
        inbox.keyboard.press("d")
        inbox.get_by_label("Wait ends before the job does").check()
        inbox.get_by_label("Reason").fill("the same")
        inbox.get_by_role("button", name="Duplicate of").click()
        inbox.get_by_role("link", name="Back to the Feedback inbox").click()

        # Two are selected and queued; the issue is previewed.
        expect(heading).to_have_text("The price of an edit is missing")
        inbox.keyboard.press("x")
        inbox.keyboard.press("j")
        inbox.keyboard.press("x")
        expect(inbox.get_by_text("2 selected")).to_be_visible()
        inbox.keyboard.press("q")
        expect(inbox.get_by_text("2 reports change.")).to_be_visible()
        assert "image-skill-feedback" in inbox.locator(".issue pre").first.inner_text()
        inbox.get_by_role("button", name="Queue for GitHub").click()
        expect(inbox.get_by_role("status")).to_have_text("2 of 2 done.")
        for _ in range(80):
            if Report.objects.filter(state="mirrored").count() == 2:
                break
            inbox.wait_for_timeout(250)
        assert len(github.issues) == 2, site.logs()

        # It is closed at GitHub, and shows here and to the agent.
        report = Report.objects.get(title=REPORTS[0]["title"])
        number = report.queue_item.issue_number
        github.change(number, state="closed")
        for _ in range(40):
            inbox.goto(f"{site.url}{INBOX}?state=mirrored&open={report.pk}")
            if panel.get_by_text("closed").is_visible():
                break
            inbox.wait_for_timeout(250)
        expect(panel.get_by_role("link", name=f"owner/name#{number}")).to_be_visible()
        told = site.get(f"/v1/activity/{report.public_id}", token=agent.token).data["events"]
        assert told[0]["details"]["github_queue"]["reason"] == "issue_closed"

    def test_search_and_help_have_keys(self, inbox: Page) -> None:
        inbox.keyboard.press("?")
        expect(inbox.get_by_role("dialog")).to_be_visible()
        inbox.keyboard.press("Escape")
        inbox.keyboard.press("/")
        inbox.keyboard.type("price")
        inbox.keyboard.press("Enter")
        expect(inbox.locator("[data-report]")).to_have_count(1)

    def test_without_scripts_it_works_too(self, inbox: Page, site: Live) -> None:
        plain = inbox.context.browser.new_context(
            java_script_enabled=False, storage_state=inbox.context.storage_state()
        )
        page = plain.new_page()
        page.goto(site.url + INBOX)
        page.get_by_role("link", name="The price of an edit is missing").click()
        page.locator("[data-panel]").get_by_role("button", name="Accept").click()
        page.get_by_role("button", name="Accept").click()
        expect(page.get_by_role("status")).to_have_text("1 of 1 done.")
        plain.close()

    def test_it_is_accessible_and_fits(self, inbox: Page, site: Live) -> None:
        for scheme, width in itertools.product(("light", "dark"), (1280, 390)):
            inbox.set_viewport_size({"width": width, "height": 860})
            inbox.goto(site.url + INBOX)
            inbox.evaluate("it => localStorage.setItem('adminTheme', JSON.stringify(it))", scheme)
            inbox.reload()
            _look(inbox, f"inbox-{scheme}-{width}")
            inbox.locator("[data-panel]").get_by_role("button", name="Queue for GitHub").click()
            expect(inbox.locator(".issue")).to_be_visible()
            _look(inbox, f"review-{scheme}-{width}")


def _look(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]})
    assert found.violations_count == 0, f"{name}\n{found.generate_report()}"
