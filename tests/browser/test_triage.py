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

BOARD = "/admin/feedback-inbox/"
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
def board(site: Live, page: Page, signed_in: Any, triager: Any, agent: Any, stranger: Any) -> Page:
    """The board, with four reports by two agents, as somebody of triage sees it."""
    for number, report in enumerate(REPORTS):
        by = stranger if number == 1 else agent
        fields = {"body": "what happened", "dedupe_key": str(number), "surface": ["cli"], **report}
        site.post("/v1/feedback", json=fields, token=by.token)
    cookie = signed_in(triager).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": site.url}])
    page.goto(site.url + BOARD)
    return page


class TestTheBoard:
    def test_from_report_to_closed_issue_by_keys(
        self, board: Page, site: Live, github: GitHubStandIn, agent: Any
    ) -> None:
        panel = board.locator("[data-panel]")
        heading = panel.get_by_role("heading", level=2)
        expect(heading).to_have_text("Colors are dull")

        # Down the list, and one is declined with a reason.
        board.keyboard.press("n")
        expect(board.get_by_text("One report changes.")).to_be_visible()
        board.get_by_label("Reason").fill("a matter of taste")
        board.get_by_role("button", name="Decline").click()
        expect(board.get_by_role("status")).to_have_text("1 of 1 done.")
        board.get_by_role("link", name="Back to the board").click()

        # A likely duplicate is merged into the older one.
        expect(heading).to_have_text("The price of an edit is missing")
        board.keyboard.press("j")
        expect(heading).to_have_text("Waiting ends before the job does")
        board.keyboard.press("d")
        board.get_by_label("Wait ends before the job does").check()
        board.get_by_label("Reason").fill("the same")
        board.get_by_role("button", name="Duplicate of").click()
        board.get_by_role("link", name="Back to the board").click()

        # Two are chosen and queued; the issue is shown before.
        expect(heading).to_have_text("The price of an edit is missing")
        board.keyboard.press("x")
        board.keyboard.press("j")
        board.keyboard.press("x")
        expect(board.get_by_text("2 chosen")).to_be_visible()
        board.keyboard.press("q")
        expect(board.get_by_text("2 reports change.")).to_be_visible()
        assert "image-skill-feedback" in board.locator(".issue pre").first.inner_text()
        board.get_by_role("button", name="Queue for GitHub").click()
        expect(board.get_by_role("status")).to_have_text("2 of 2 done.")
        for _ in range(80):
            if Report.objects.filter(state="mirrored").count() == 2:
                break
            board.wait_for_timeout(250)
        assert len(github.issues) == 2, site.logs()

        # It is closed at GitHub, and shows here and to the agent.
        report = Report.objects.get(title=REPORTS[0]["title"])
        number = report.queue_item.issue_number
        github.change(number, state="closed")
        for _ in range(40):
            board.goto(f"{site.url}{BOARD}?state=mirrored&open={report.pk}")
            if panel.get_by_text("closed").is_visible():
                break
            board.wait_for_timeout(250)
        expect(panel.get_by_role("link", name=f"owner/name#{number}")).to_be_visible()
        told = site.get(f"/v1/activity/{report.public_id}", token=agent.token).data["events"]
        assert told[0]["details"]["github_queue"]["reason"] == "issue_closed"

    def test_search_and_help_have_keys(self, board: Page) -> None:
        board.keyboard.press("?")
        expect(board.get_by_role("dialog")).to_be_visible()
        board.keyboard.press("Escape")
        board.keyboard.press("/")
        board.keyboard.type("price")
        board.keyboard.press("Enter")
        expect(board.locator("[data-report]")).to_have_count(1)

    def test_without_scripts_it_works_too(self, board: Page, site: Live) -> None:
        plain = board.context.browser.new_context(
            java_script_enabled=False, storage_state=board.context.storage_state()
        )
        page = plain.new_page()
        page.goto(site.url + BOARD)
        page.get_by_role("link", name="The price of an edit is missing").click()
        page.locator("[data-panel]").get_by_role("button", name="Accept").click()
        page.get_by_role("button", name="Accept").click()
        expect(page.get_by_role("status")).to_have_text("1 of 1 done.")
        plain.close()

    def test_it_is_accessible_and_fits(self, board: Page, site: Live) -> None:
        for scheme, width in itertools.product(("light", "dark"), (1280, 390)):
            board.set_viewport_size({"width": width, "height": 860})
            board.goto(site.url + BOARD)
            board.evaluate("it => localStorage.setItem('adminTheme', JSON.stringify(it))", scheme)
            board.reload()
            _look(board, f"board-{scheme}-{width}")
            board.locator("[data-panel]").get_by_role("button", name="Queue for GitHub").click()
            expect(board.locator(".issue")).to_be_visible()
            _look(board, f"review-{scheme}-{width}")


def _look(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]})
    assert found.violations_count == 0, f"{name}\n{found.generate_report()}"
