"""Staff at work in a real browser: getting in, each role's reach, a refund, a prompt."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.contrib import admin
from django.urls import URLPattern, URLResolver, reverse
from playwright.sync_api import Page, expect

from accounts.models import AuditLine, User
from accounts.sign_in import first_admin
from accounts.staff.roles import ROLES
from billing.models import RefundRequest
from billing.purchases import fulfillment
from imageskill.lib.admin.actions import StaffAction
from imageskill.lib.admin.bases import ConsoleAdmin
from jobs.models import Job
from tests.billing.shop import SECRET, Shop, only_receipt, shop
from tests.browser.console import ENTER, app_code, enter
from tests.cast import Signed
from tests.imageskill.console.conftest import signed_in
from tests.live import Live

__all__ = ["enter", "shop", "signed_in"]

PROMPT = "a lighthouse that nobody else should read about"
REFUSED = 403

# The role's fixture, and the entries of the sidebar that it must not have; all others it must.
ROLE_OF = {
    "support": "supporter",
    "lead support": "lead_supporter",
    "finance": "financier",
    "triage": "triager",
    "auditor": "auditor",
    "operator": "operator",
}
_LEDGER = {
    "Financial overview", "Reconciliation", "Discrepancies", "Balance transactions", "Month close",
    "Wallets", "Transfers", "Credit grants", "Holds", "Ledger checks",
}  # fmt: skip
_PAYMENTS = {
    "Receipts", "Quotes", "Checkouts", "Unmatched payments", "Refund requests",
    "Credit adjustments", "Open disputes", "Refunds & disputes", "Stripe events",
}  # fmt: skip
_CATALOG = {"Packs", "Pack change requests", "Models", "Settings"}
HIDDEN = {
    "support": _LEDGER | _CATALOG | {"Audit log"},
    "lead support": _LEDGER | _CATALOG,
    "finance": {"Telemetry", "Models", "Settings"},
    "triage": _LEDGER | _PAYMENTS | _CATALOG | {"Credit consumption", "Telemetry", "Audit log"},
    "auditor": set(),
    "operator": set(),
}
# The permission that opens each page that belongs to no list.
DUTY_OF = {
    "console_search": "",
    "console_image_review": "see_jobs",
    "console_queues": "see_jobs",
    "console_unresolved_outputs": "see_jobs",
    "console_models": "see_catalog",
    "console_switch": "act_on_catalog",
    "console_settings": "see_catalog",
    "console_financial_overview": "see_ledger",
    "console_financial_overview_file": "see_ledger",
    "console_evidence": "see_payments",
    "billing_disputes": "see_payments",
    "billing_month_close": "month_close",
    "billing_month_csv": "see_ledger",
    "feedback_inbox": "see_feedback",
    "jobs_asset_thumbnail": "see_jobs",
    "index": "",
}
# Django's own that tell nothing, and what takes only forms.
PASSED_BY = {
    "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n",
    "view_on_site", "app_list", "search", "toggle_sidebar", "feedback_review",
    "console_filters",  # takes forms only; asks for the permission of the list that they name
}  # fmt: skip


class TestSigningIn:
    def test_from_the_invitation_to_the_first_page(self, live: Live, page: Page) -> None:
        password = first_admin.invite(address="first@example.org")
        assert password
        page.goto(f"{live.url}/account/login/password/?next=/admin/")
        page.get_by_label("Email").fill("first@example.org")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()

        # No second factor yet: nothing of the console, but the way to set one up.
        page.goto(f"{live.url}/admin/")
        expect(page).to_have_url(re.compile("/account/2fa/"))
        page.get_by_role("link", name=re.compile("Activate")).first.click()
        secret = page.get_by_label("Authenticator secret").input_value()
        page.get_by_label("Authenticator code").fill(app_code(secret))
        page.get_by_role("button", name="Activate").click()
        expect(page.get_by_text("Authenticator app activated.")).to_be_visible()

        # Its code was typed a moment ago: nobody asks for another, here or at the door.
        expect(page).to_have_url(re.compile("/account/2fa/recovery-codes/"))
        page.goto(f"{live.url}/admin/")
        expect(page.get_by_role("heading", name="Needs attention")).to_be_visible()
        assert not User.objects.get().has_usable_password()


class TestRoles:
    @pytest.mark.parametrize("role", ROLES)
    def test_what_it_may_not_do_is_neither_shown_nor_reachable(
        self, live: Live, enter: ENTER, role: str, request: pytest.FixtureRequest
    ) -> None:
        user: User = request.getfixturevalue(ROLE_OF[role])
        page = enter(user, live, watched=False)  # what it is refused is logged by the browser
        page.goto(f"{live.url}/admin/")
        shown = _entries(page)
        operator = User.objects.create_user("every@example.com", is_staff=True, is_superuser=True)
        everything = enter(operator, live)
        everything.goto(f"{live.url}/admin/")
        every = _entries(everything)
        assert set(every) - set(shown) == HIDDEN[role]

        wanted = {url: _may(ROLES[role], duties) for url, duties in _addresses()}
        wanted |= {url: label in shown for label, url in every.items()}
        found = _statuses(page, list(wanted))

        assert {url: status != REFUSED for url, status in found.items()} == wanted


class TestRefund:
    @pytest.fixture
    def selling(self, shop: Shop, launch: Callable[..., Live]) -> Live:
        """An installation that asks Stripe's stand-in, and hears from it."""
        live = launch(
            STRIPE_API_BASE_URL=shop.base_url,
            STRIPE_SECRET_KEY="sk_test_standin",
            STRIPE_WEBHOOK_SECRET=SECRET,
        )
        shop.account.deliveries.start(url=f"{live.url}/webhooks/stripe", secret=SECRET)
        return live

    def test_a_second_person_decides_and_stripe_pays(
        self,
        selling: Live,
        shop: Shop,
        enter: ENTER,
        agent: Signed,
        financier: User,
        second_financier: User,
    ) -> None:
        attempt = shop.attempt(agent, 5000)
        shop.account.pay(attempt.checkout_session_id)
        fulfillment.fulfill(payment_attempt_id=attempt.public_id)
        receipt = only_receipt()
        first = enter(financier, selling)
        first.goto(f"{selling.url}/admin/")

        # A key opens the search, the number opens the receipt, a click copies its id.
        first.keyboard.press("/")
        box = first.get_by_label(re.compile("Any ID"))
        expect(box).to_be_focused()
        box.fill(receipt.number)
        box.press("Enter")
        first.get_by_role("button", name=f"Copy {receipt.public_id}").first.click()
        expect(first.locator(".copyable", has_text="check").first).to_be_visible()
        assert first.evaluate("navigator.clipboard.readText()") == receipt.public_id

        # Look, then ask.
        first.get_by_role("link", name="Refund", exact=True).click()
        first.get_by_label("Amount in USD").fill("40.00")
        first.get_by_role("button", name="Preview").click()
        means = first.get_by_role("region", name="What will happen")
        expect(means).to_contain_text("40.00 USD of 50.00 USD refundable goes back to the buyer")
        expect(means).to_contain_text("A second person has to approve it.")
        assert not RefundRequest.objects.exists()
        first.get_by_label("Reason code").select_option("requested_by_customer")
        first.get_by_label("Reason", exact=False).first.fill("bought twice")
        first.get_by_role("button", name="Refund", exact=True).click()
        expect(first.get_by_text("Pending approval by a second person.")).to_be_visible()
        request = RefundRequest.objects.get()
        assert (request.state, request.amount_cents) == ("requested", 4000)

        # Who asked can't approve.
        asked = selling.url + reverse("admin:billing_refundrequest_change", args=[request.pk])
        first.goto(asked)
        expect(first.get_by_role("link", name="Approve", exact=True)).to_have_count(0)
        request.refresh_from_db()
        assert request.state == "requested"

        # Somebody else does, led there by the first page.
        second = enter(second_financier, selling)
        second.goto(f"{selling.url}/admin/")
        second.get_by_role("link", name="Refunds pending approval").click()
        second.goto(asked)
        _decide(second, "Approve")
        for _ in range(40):
            request.refresh_from_db()
            if request.reversal_id:
                break
            second.wait_for_timeout(250)
        assert request.decided_by == second_financier
        second.goto(selling.url + reverse("admin:billing_receipt_change", args=[receipt.pk]))
        expect(second.get_by_role("region", name="Timeline")).to_contain_text("Refund")


class TestPrompt:
    def test_it_is_shown_for_a_reason_and_for_a_while(
        self, live: Live, enter: ENTER, agent: Signed, supporter: User
    ) -> None:
        made = live.post(
            "/v1/create", token=agent.token, json={"prompt": PROMPT, "model": "local.sketch"}
        ).data
        page = enter(supporter, live)
        page.goto(f"{live.url}/admin/find/")
        page.get_by_label(re.compile("Any ID")).fill(made["job_id"])
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_text(PROMPT)).to_have_count(0)
        page.get_by_role("link", name="Reveal prompt").click()

        page.get_by_role("button", name="Reveal prompt").click()
        expect(page.get_by_role("alert")).to_contain_text("required")
        page.get_by_label("Reason").fill("complaint 7")
        page.get_by_role("button", name="Reveal prompt").click()

        expect(page.get_by_text(PROMPT)).to_be_visible()
        page.get_by_role("link", name="Close now").click()
        expect(page.get_by_text(PROMPT)).to_have_count(0)
        job = Job.objects.get(public_id=made["job_id"])
        line = AuditLine.objects.get(action="job.reveal_prompt", subject=job.public_id)
        assert (line.user, line.reason) == (supporter, "complaint 7")


class TestSuspension:
    def test_it_says_what_follows_and_binds_at_once(
        self, live: Live, enter: ENTER, agent: Signed, supporter: User
    ) -> None:
        page = enter(supporter, live)
        page.goto(live.url + reverse("admin:accounts_agent_change", args=[agent.agent.pk]))
        page.get_by_role("link", name="Suspend", exact=True).click()
        expect(page.get_by_role("region", name="What will happen")).to_contain_text(
            "can no longer create"
        )
        page.get_by_label("Reason").fill("sends spam")
        page.get_by_role("button", name="Suspend").click()

        expect(page.get_by_text("is suspended.")).to_be_visible()
        refused = live.post(
            "/v1/create", token=agent.token, json={"prompt": "x", "model": "local.sketch"}
        )
        assert refused.code == "CAPABILITY_DENIED"
        expect(page.get_by_role("link", name="Reinstate")).to_be_visible()


def _decide(page: Page, action_name: str) -> None:
    page.get_by_role("link", name=action_name, exact=True).click()
    page.get_by_label("Reason").fill("as the policy says")
    page.get_by_role("button", name=action_name, exact=True).click()


def _entries(page: Page) -> dict[str, str]:
    """Return the sidebar's entries with their addresses."""
    links = page.locator("#nav-sidebar a[href^='/admin/']")
    found = links.evaluate_all(
        "all => all.map(a => [a.querySelector('span:not(.material-symbols-outlined)')"
        "?.textContent.trim(), a.getAttribute('href')])"
    )
    return {label: url for label, url in found if label}


def _statuses(page: Page, urls: list[str]) -> dict[str, int]:
    """Ask for each address as this person, from the page itself."""
    return page.evaluate(
        """async urls => {
            const found = {};
            const ask = async () => {
                for (let url; (url = urls.pop()); ) found[url] = (await fetch(url)).status;
            };
            await Promise.all(Array.from({ length: 4 }, ask));
            return found;
        }""",
        urls,
    )


def _may(role: frozenset[str], duties: tuple[set[str], ...] | None) -> bool:
    """Return whether a role has one of each set of duties; None is for nobody."""
    return duties is not None and all(any(duty in role or not duty for duty in of) for of in duties)


def _addresses() -> Iterator[tuple[str, tuple[set[str], ...] | None]]:
    """Return every address of the console with the duties it asks for."""
    for pattern in _patterns(admin.site.get_urls()):
        name = pattern.name or ""
        # A history of Django's own is kept for nothing; XLSX is CSV's view again.
        if not name or name in PASSED_BY or name.endswith(("_history", "_export_xlsx")):
            continue
        if name in DUTY_OF:
            yield _filled(pattern), ({DUTY_OF[name]},)
            continue
        model = next(m for m in admin.site._registry if name.startswith(_prefix(m)))
        yield from _of_model(name.removeprefix(_prefix(model)), admin.site._registry[model])


def _of_model(
    page: str, model_admin: admin.ModelAdmin
) -> Iterator[tuple[str, tuple[set[str], ...] | None]]:
    prefix = "admin:" + _prefix(model_admin.model)
    if not isinstance(model_admin, ConsoleAdmin):
        # Somebody else's models: for nobody's role.
        yield reverse(prefix + page, args=[] if page in {"changelist", "add"} else [0]), None
        return
    seen = {model_admin.view_permission.removeprefix("accounts.")}
    if page in {"action", "list_action"}:
        of_row = [0] if page == "action" else []
        for action_name in model_admin.object_actions if of_row else model_admin.list_actions:
            yield reverse(prefix + page, args=[*of_row, action_name.name]), (_duties(action_name),)
    elif page.startswith("export"):
        yield reverse(prefix + page), (seen, {"export"})
    elif page == "changelist":
        yield reverse(prefix + page), (seen,)
    elif page == "change":
        yield reverse(prefix + page, args=[0]), (seen,)
    else:
        yield reverse(prefix + page, args=[] if page == "add" else [0]), None


def _duties(action_name: StaffAction) -> set[str]:
    """Return the duties of which any lets somebody open the action's page."""
    asked = {*_several(action_name.permission), *_several(action_name.dry_run)}
    return {permission.removeprefix("accounts.") for permission in asked}


def _several(permission: str | tuple[str, ...]) -> tuple[str, ...]:
    return (permission,) if isinstance(permission, str) else permission


def _prefix(model: type) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}_"


def _patterns(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns)
        else:
            yield pattern


def _filled(pattern: URLPattern) -> str:
    names = pattern.pattern.converters
    return reverse(f"admin:{pattern.name}", kwargs=dict.fromkeys(names, 0))
