"""The agent page, its lists and its claims in a real browser: whole on a phone, in local time."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts import suspension
from accounts.models import Agent, AuditLine, Claim, User
from billing.purchases import fulfillment
from feedback.models import Report
from imageskill.lib import clock
from jobs.models import Job
from tests.billing.shop import Shop, shop
from tests.browser.console import ENTER, enter
from tests.cast import Signed
from tests.imageskill.console.conftest import signed_in
from tests.live import Live

__all__ = ["enter", "shop", "signed_in"]

PHONE = {"width": 390, "height": 780}
UNBROKEN = "aVeryLongWordThatNobodyBroke" * 6
EXCUSED = ".simplebar-content-wrapper"  # the theme's scrolled boxes are all named alike


@pytest.fixture
def addresses(agent: Signed, shop: Shop, operator: User) -> list[str]:
    """Return the pages of an agent of which much, and much of it long, is known."""
    attempt = shop.attempt(agent, 500)
    shop.account.pay(attempt.checkout_session_id)
    fulfillment.fulfill(payment_attempt_id=attempt.public_id)
    Agent.objects.update(
        name="n" * 80, runtime="r" * 80, discovery_source=UNBROKEN, last_seen_at=clock.now()
    )
    suspension.suspend(agent=agent.agent, user=operator, reason=UNBROKEN)
    AuditLine.objects.create(
        actor=operator.email, user=operator, action="agent.note", subject=agent.id, reason=UNBROKEN
    )
    Report.objects.create(
        agent=agent.agent, organization=agent.organization, type="bug", title=UNBROKEN
    )
    for number in range(3):
        Job.objects.create(
            agent=agent.agent,
            organization=agent.organization,
            operation="create",
            trace_id=f"trace_{number}",
            model_id="provider.model-with-a-long-name-and-a-version-2026-01-01",
            credits_held=60,
            status="failed",
            error_code="PROVIDER_FAILED_FOR_A_LONG_REASON",
            completed_at=clock.now(),
        )
    page = reverse("admin:accounts_agent_change", args=[agent.agent.pk])
    its = {"agent__id__exact": agent.agent.pk}
    return [
        page,
        f"{page}?as_of={clock.now():%Y-%m-%dT%H:%M:%S}",
        reverse("admin:accounts_claim_changelist", query=its),
        reverse("admin:accounts_claim_change", args=[Claim.objects.get().pk]),
        reverse("admin:jobs_job_changelist", query=its | {"created_at__gte": "2026-01-01"}),
    ]


class TestAgentPage:
    def test_fits_a_phone_and_is_accessible(
        self, live: Live, enter: ENTER, operator: User, addresses: list[str]
    ) -> None:
        page = enter(operator, live)
        wrong: list[str] = []
        for url in addresses:
            page.set_viewport_size({"width": 1280, "height": 900})
            answer = page.goto(live.url + url)
            assert answer is not None
            assert answer.ok, url
            page.locator("html:not([x-cloak])").wait_for()
            wrong += _violations(page, url)
            page.set_viewport_size(PHONE)
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > PHONE["width"]:
                wrong.append(f"{url} is {width} px wide: {_widest(page)}")
        assert wrong == []

    def test_from_the_page_to_all_jobs_and_on_to_everybodys(
        self, live: Live, enter: ENTER, operator: User, addresses: list[str]
    ) -> None:
        page = enter(operator, live)
        page.goto(live.url + addresses[0])
        page.get_by_role("region", name="Jobs").get_by_role("link", name="View all 3").click()
        narrowed = page.get_by_role("list", name="Active filters")
        expect(narrowed).to_contain_text("agent")
        narrowed.get_by_role("link", name="Remove the filter").click()
        expect(page.get_by_role("list", name="Active filters")).to_have_count(0)


class TestTimes:
    def test_what_the_inbox_loads_later_is_in_local_time_too(
        self, live: Live, enter: ENTER, triager: User, agent: Signed
    ) -> None:
        for title in ("first", "second"):
            report = Report.objects.create(
                agent=agent.agent, organization=agent.organization, type="bug", title=title
            )
            AuditLine.objects.create(
                actor="triage@example.com", action="feedback.watch", subject=report.public_id
            )
        page = enter(triager, live)
        page.goto(live.url + reverse("admin:feedback_inbox"))
        page.keyboard.press("j")
        panel = page.locator("[data-panel]")
        expect(panel.get_by_role("heading", name="first")).to_be_visible()
        expect(panel.locator("time").first).not_to_contain_text("UTC")


def _violations(page: Page, where: str) -> list[str]:
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    return [
        f"{where}: {violation['id']} {node['target']} {node['failureSummary'][:160]}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
        if EXCUSED not in str(node["target"])
    ]


def _widest(page: Page) -> str:
    """Name what reaches furthest to the right."""
    return page.evaluate(
        """() => {
          const reach = (one) => one.getBoundingClientRect().right;
          const all = [...document.querySelectorAll("#main *")].filter((one) => reach(one) > 390);
          return all.slice(-5).map((one) => one.outerHTML.slice(0, 120)).join(" | ");
        }"""
    )
