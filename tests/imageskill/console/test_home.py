"""Home: what it counts, for whom, and what it says where it does not show everything."""

from datetime import timedelta

import pytest

from billing.models import MoneyDay, PaymentReversal, ReconciledDay
from billing.reversals import applying
from feedback.models import Report
from imageskill.console.home import trends
from imageskill.lib import clock
from imageskill.lib.admin import keyset
from jobs.models import ModelDay
from tests.billing.money import buy
from tests.billing.stripe_facts import refund

HOME = "/admin/"


def cards_of(page):
    return [card for _, cards in page.context_data["sections"] for card in cards]


def card_of(page, label):
    [found] = [card for card in cards_of(page) if card.label.startswith(label)]
    return found


class TestFigures:
    def test_sold_is_what_its_receipts_come_to(self, signed_in, financier, agent):
        receipt = buy(agent.organization.pk, 500, charge_id="ch_a")
        since = clock.utc_day(clock.now()) - timedelta(days=40)
        for day, cents in ((receipt.issued_at.date(), 500), (since, 900)):
            MoneyDay.objects.create(
                day=day, name="receipts", environment="live", count=1, amount_cents=cents
            )
        browser = signed_in(financier)
        card = card_of(browser.get(HOME), "Gross sales")
        assert card.figure == "5.00 USD"
        query = browser.get(card.url).context_data["cl"].queryset.query
        assert "environment" in str(query.where)
        assert "issued_at" in str(query.where)

    def test_a_flagged_reversal_is_counted_until_it_is_resolved(self, signed_in, financier, agent):
        buy(agent.organization.pk, 500, charge_id="ch_a")
        found = applying.apply_refund(refund("re_much", "ch_a", 700))
        browser = signed_in(financier)
        assert card_of(browser.get(HOME), "Refunds & disputes: needs review").figure == "1"
        PaymentReversal.objects.filter(pk=found.pk).update(resolved_at=clock.now(), resolution="x")
        assert card_of(browser.get(HOME), "Refunds & disputes: needs review").figure == "0"

    def test_many_are_counted_to_a_bound_and_said_to_be_more(
        self, signed_in, triager, agent, monkeypatch
    ):
        monkeypatch.setattr(keyset, "EXACT_COUNT_LIMIT", 2)
        for number in range(4):
            Report.objects.create(
                organization=agent.organization, agent=agent.agent, type="x", title=f"{number}"
            )
        assert card_of(signed_in(triager).get(HOME), "New feedback").figure == "over 2"


class TestStanding:
    def test_reconciliation_says_when_it_ran_and_turns_amber_when_it_is_late(
        self, signed_in, financier
    ):
        browser = signed_in(financier)
        assert card_of(browser.get(HOME), "Not reconciled yet").tone == "amber"
        row = ReconciledDay.objects.create(day="2026-01-01", environment="live")
        assert card_of(browser.get(HOME), "Last reconciled day").tone == "green"
        ReconciledDay.objects.update(reconciled_at=clock.now() - timedelta(days=3))
        card = card_of(browser.get(HOME), "Last reconciled day")
        assert (card.tone, card.figure) == ("amber", "Jan 1")
        assert card.url.endswith(f"/{row.pk}/change/")

    def test_the_margin_is_what_the_financial_overview_says(self, signed_in, financier):
        today = clock.utc_day(clock.now())
        ModelDay.objects.create(
            day=today, model_id="m", provider_id="p", completed=1, paid_credits=500,
            provider_usd="2.00", lost_usd="0.50",
        )  # fmt: skip
        page = signed_in(financier).get(HOME)
        card = card_of(page, "Margin, 30 days")
        assert card.figure == "2.50 USD"
        assert "50% of revenue" in card.label
        [chart] = [chart for chart in page.context_data["charts"] if chart.title == "Margin by day"]
        assert chart.bars[-1].value == "2.50 USD"


class TestModels:
    @pytest.fixture
    def many(self, db):
        today = clock.utc_day(clock.now())
        for number in range(trends.FEW_MODELS + 3):
            ModelDay.objects.create(
                day=today, model_id=f"model-{number:02}", provider_id="p", completed=100 - number,
                failed=number, median_s=4.06, p95_s=9.9,
            )  # fmt: skip

    def test_the_busiest_are_shown_and_the_rest_is_said(self, signed_in, triager, many):
        browser = signed_in(triager)
        page = browser.get(HOME)
        assert "View all, 3 more" in page.content.decode()
        assert "model-14" not in page.content.decode()
        whole = browser.get(page.context_data["every_model_url"]).content.decode()
        assert "model-14" in whole
        assert "View all" not in whole

    def test_failures_and_times_are_told_by_model_and_day(self, signed_in, triager, many):
        failing, taking = signed_in(triager).get(HOME).context_data["tables"]
        assert dict(failing.rows)["model-03"][-1].text == "3.0%"
        assert dict(taking.rows)["model-03"][-1].text == "4.1 / 9.9"
        assert dict(taking.rows)["model-03"][0].text == "–"


class TestRoles:
    @pytest.mark.parametrize(
        ("role", "seen", "unseen"),
        [
            ("triager", {"New feedback", "Running jobs"}, {"Open disputes", "Margin", "Packs"}),
            (
                "supporter",
                {"Open disputes", "Credit adjustments pending"},
                {"Margin", "Gross sales", "Pack changes"},
            ),
            ("financier", {"Pack changes pending approval", "Margin"}, set()),
        ],
    )
    def test_each_sees_what_its_lists_show(self, signed_in, request, role, seen, unseen):
        page = signed_in(request.getfixturevalue(role)).get(HOME)
        labels = " | ".join(card.label for card in cards_of(page))
        assert {label for label in seen if label in labels} == seen
        assert not {label for label in unseen if label in labels}
