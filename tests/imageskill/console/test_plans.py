"""No page of the console reads a large table from end to end, whatever is filtered or searched.

The statements are those that the pages really run, planned against tens of thousands of rows.
"""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import Agent, User
from billing.models import (
    BalanceMovement,
    Difference,
    MonthClose,
    PaymentAttempt,
    Receipt,
    ReconciledDay,
)
from billing.reconciliation import month_close
from imageskill.console.pages import PAGES
from jobs.models import Asset, Job
from tests.imageskill.console import plenty
from tests.imageskill.console.plans import MOST_STATEMENTS, large_tables, watched

APPS = {"accounts", "billing", "jobs", "feedback"}
MODELS = sorted(
    (model for model in admin.site._registry if model._meta.app_label in APPS),
    key=lambda model: model._meta.label,
)
CHOICES = 12  # of each filter


@pytest.fixture
def browser(demo_history, db, signed_in):
    """Sign an operator in, on long tables."""
    plenty.fill()
    client = signed_in(User.objects.create_superuser("everything@example.com"))
    client.get("/admin/")
    return client


def look(browser, large, url):
    """Open a page; return it and what is wrong with its statements."""
    with watched(large) as seen:
        page = browser.get(url)
    problems = [f"{url}: {problem}" for problem in seen.problems]
    if page.status_code not in {200, 405}:
        problems.append(f"{url}: {page.status_code}")
    if seen.statements > MOST_STATEMENTS:
        problems.append(f"{url}: {seen.statements} statements")
    return page, problems


def list_url(model):
    opts = model._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")


def page_url(thing):
    opts = thing._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[thing.pk])


def addresses(page, url):
    """Return the addresses that a list offers: its next page, each choice of a filter, searches."""
    changelist = page.context_data["cl"]
    if changelist.older_url:
        yield url + changelist.older_url
    for spec in changelist.filter_specs:
        for choice in list(spec.choices(changelist))[1 : CHOICES + 1]:
            if choice.get("query_string"):
                yield url + choice["query_string"]
    if changelist.model_admin.search_fields:
        yield url + "?q=nothing-has-this-name"
        for name in changelist.model_admin.search_fields:
            field, _, _ = name.rpartition("__")
            value = changelist.model.objects.order_by("-pk").values_list(field, flat=True).first()
            if value:
                yield f"{url}?q={value}"


def of_lists(browser, large):
    """Open each list, as it is, by each choice of its filters, and searched."""
    for model in MODELS:
        url = list_url(model)
        page, problems = look(browser, large, url)
        yield from problems
        for address in addresses(page, url):
            yield from look(browser, large, address)[1]


def of_pages(browser, large):
    """Open each page of the console's own, and the pages of single things, old and new."""
    for name in ("index", *(name for route, _, name in PAGES if "<" not in route)):
        yield from look(browser, large, reverse(f"admin:{name}"))[1]
    for model in (Agent, Job, Asset, Receipt, PaymentAttempt):
        for end in ("pk", "-pk"):
            yield from look(browser, large, page_url(model.objects.order_by(end).first()))[1]
    past = page_url(Agent.objects.order_by("pk").first()) + "?as_of=2026-01-01T00:00"
    yield from look(browser, large, past)[1]


def of_closing(browser, large, somebody, somebody_else):
    """Look at what a month would be closed with, and at what a reconciled day leads to."""
    latest = MonthClose.objects.filter(reopened_at=None).order_by("-month").first()
    month_close.request_reopen(closed=latest, user=somebody, reason="to look at it")
    month_close.reopen(closed=latest, user=somebody_else, reason="to look at it")
    month = reverse("admin:billing_month_close") + f"?month={latest.month:%Y-%m}"
    page, problems = look(browser, large, month)
    assert page.context_data["statement"].transfers
    yield from problems
    reconciled = ReconciledDay.objects.order_by("-day").first()
    end = reconciled.day + timedelta(days=1)
    of_day = f"?created_at__gte={reconciled.day}&created_at__lt={end}"
    yield from look(browser, large, list_url(BalanceMovement) + of_day)[1]
    yield from look(browser, large, list_url(Difference) + f"?day__exact={reconciled.day}")[1]
    for model in (ReconciledDay, BalanceMovement, Difference, MonthClose):
        yield from look(browser, large, page_url(model.objects.order_by("-pk").first()))[1]


class TestPlans:
    def test_no_list_filter_search_or_page_reads_a_large_table(self, browser, financier, operator):
        large = large_tables()
        assert large["billing_transfer"] >= 50_000  # or the planner has no choice to make
        problems = [
            *of_lists(browser, large),
            *of_pages(browser, large),
            *of_closing(browser, large, financier, operator),
        ]
        assert not problems, "\n".join(problems)
