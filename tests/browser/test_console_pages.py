"""Each kind of page of the console: accessible in light and dark, and whole on a small screen."""

from datetime import date, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page

from accounts.models import User
from billing.ledger import daily_totals as money
from billing.models import PaymentReversal
from billing.purchases import fulfillment
from billing.reconciliation import month_close, run
from feedback.models import Report
from imageskill.lib import clock
from jobs.models import AssetCheck
from jobs.running import daily_totals as work
from tests.billing.shop import Shop, only_receipt, shop
from tests.browser.console import ENTER, enter
from tests.cast import Signed
from tests.imageskill.console.conftest import signed_in
from tests.live import Live
from tests.pages.conftest import failed, made

__all__ = ["enter", "shop", "signed_in"]

SMALL = {"width": 390, "height": 780}
WIDE = {"width": 1280, "height": 900}

# The theme's own, out of reach of a small override: its scrolled boxes are all named alike.
EXCUSED = {"landmark-unique": ".simplebar-content-wrapper"}


@pytest.fixture
def everything(operator: User) -> User:
    """Somebody who sees each page."""
    operator.is_superuser = True
    operator.save()
    return operator


@pytest.fixture
def pages(
    shop: Shop, agent: Signed, everything: User, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Every kind of page, with something on it."""
    attempt = shop.attempt(agent, 500)
    shop.account.pay(attempt.checkout_session_id)
    fulfillment.fulfill(payment_attempt_id=attempt.public_id)
    receipt = only_receipt()
    shop.account.dispute(receipt.charge_id)
    shop.tell(*shop.events("charge.dispute."))
    dispute = PaymentReversal.objects.get()
    job = made(agent)
    asset = job.assets.get()
    AssetCheck.objects.create(
        asset=asset, is_good=False, decodes=True, is_as_promised=True, is_blank=True
    )
    failed(agent)
    report = Report.objects.create(
        agent=agent.agent, organization=agent.organization, type="bug", title="It is slow"
    )
    today = clock.utc_day(clock.now())
    monkeypatch.setattr(run, "_LAG", timedelta(seconds=-5))
    [day] = run.run(since=today, until=today).days
    money.count_day(today)
    money.count_wallets()
    work.count_day(today)
    closed = month_close.close(month=date(2026, 1, 1), user=everything, reason="it is over")
    movement = receipt.movements.first()
    things = [agent.agent, job, asset, receipt, attempt, dispute, report, day, movement, closed]
    names = [f"{thing._meta.app_label}_{thing._meta.model_name}" for thing in things]
    lists = [reverse(f"admin:{name}_changelist") for name in names]
    return [
        "/admin/",
        *lists,
        reverse("admin:jobs_job_changelist", query={"status__exact": "queued"}),  # none
        *(
            reverse(f"admin:{name}_change", args=[thing.pk])
            for name, thing in zip(names, things, strict=True)
        ),
        reverse("admin:billing_receipt_action", args=[receipt.pk, "refund"]),
        reverse("admin:accounts_agent_action", args=[agent.agent.pk, "contact"]),
        reverse("admin:billing_disputes"),
        reverse("admin:console_search"),
        reverse("admin:console_image_review"),
        reverse("admin:console_queues"),
        reverse("admin:console_unresolved_outputs"),
        reverse("admin:console_models"),
        reverse("admin:console_settings"),
        reverse(
            "admin:console_switch", query={"kind": "model", "name": "local.sketch", "is_on": 0}
        ),
        reverse("admin:console_financial_overview"),
        reverse("admin:console_evidence", args=[dispute.public_id]),
        reverse("admin:billing_month_close", query={"month": "2026-02"}),
        reverse("admin:billing_bookscheck_changelist"),
        reverse("admin:billing_bookscheck_list_action", args=["check"]),
        reverse("admin:feedback_inbox"),
    ]


class TestEveryPage:
    def test_is_accessible_and_fits_and_complains_of_nothing(
        self, live: Live, enter: ENTER, everything: User, pages: list[str]
    ) -> None:
        page = enter(everything, live)
        wrong: list[str] = []
        for url in pages:
            page.set_viewport_size(WIDE)
            answer = page.goto(live.url + url)
            assert answer is not None
            assert answer.ok, url
            page.locator("html:not([x-cloak])").wait_for()
            wrong += _violations(page, url)
            # Nothing but colors depends on the scheme.
            page.evaluate("document.documentElement.classList.add('dark')")
            wrong += _violations(page, f"{url} (dark)", only=["color-contrast"])
            page.set_viewport_size(SMALL)
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > SMALL["width"]:
                wrong.append(f"{url} is {width} px wide")

        assert wrong == []


def _violations(page: Page, where: str, *, only: list[str] | None = None) -> list[str]:
    options = {"resultTypes": ["violations"]}
    found = Axe().run(page, options=options | ({"runOnly": only} if only else {}))
    return [
        f"{where}: {violation['id']} {node['target']} {node['failureSummary'][:160]}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
        if EXCUSED.get(violation["id"], "\0") not in str(node["target"])
    ]
