"""Financial overview: figures, charts, and each table as a file that agrees with the page."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import openpyxl
import pytest
from django.urls import reverse

from accounts.models import AuditLine
from billing.ledger import daily_totals
from billing.models import MoneyDay
from billing.reversals import applying
from imageskill.console import charts
from imageskill.lib import clock
from jobs.models import ModelDay
from tests.billing.money import buy, give, hold, org, spend
from tests.billing.stripe_facts import dispute, refund

__all__ = ["org"]
pytestmark = pytest.mark.django_db
PAGE, FILE = "admin:console_financial_overview", "admin:console_financial_overview_file"


@pytest.fixture
def busy(org):
    """Days with some of everything that moves."""
    give(org, 40)
    buy(org, 500, charge_id="ch_a")
    buy(org, 300, charge_id="ch_b")
    spend(org, 140)
    hold(org, "job_open", 60)
    applying.apply_refund(refund("re_a", "ch_a", 200))
    applying.apply_dispute(dispute("du_b", "ch_b", 300))
    today = clock.utc_day(clock.now())
    ModelDay.objects.create(
        day=today,
        model_id="fal.flux",
        provider_id="fal",
        completed=9,
        failed=1,
        credits=140,
        paid_credits=100,
        provider_usd=Decimal("1.25"),
        lost_usd=Decimal("0.10"),
    )
    ModelDay.objects.create(
        day=today, model_id="fal.dear", provider_id="fal", provider_usd=Decimal("2.00")
    )
    daily_totals.count_day(today)
    daily_totals.count_wallets()


def figures(page):
    return {
        figure.label.split(" at the end")[0]: figure.number
        for figure in page.context_data["figures"]
    }


def rows(browser, table, kind="csv"):
    answer = browser.get(reverse(FILE, args=[table, kind]))
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


class TestFigures:
    def test_are_those_that_finance_asks_for(self, signed_in, financier, busy):
        found = figures(signed_in(financier).get(reverse(PAGE)))
        assert found["gross sales"] == "8.00 USD"
        assert found["refunds"] == "-2.00 USD"
        assert found["disputes"] == "-3.00 USD"
        assert found["net sales"] == "3.00 USD"
        assert found["revenue (paid credits consumed)"] == "1.00 USD"
        assert found["provider cost and losses"] == "3.35 USD"
        assert found["margin"] == "-2.35 USD"
        assert found["credits consumed, all environments"] == "140"
        assert found["deferred revenue"] == "2.00 USD"  # 140 paid and 60 held
        assert found["preview credits"] == "0.00 USD"

    def test_of_live_money_hold_nothing_of_the_stand_in(self, signed_in, financier, busy):
        found = figures(signed_in(financier).get(reverse(PAGE), {"scope": "live"}))
        assert found["gross sales"] == found["net sales"] == "0.00 USD"
        assert found["refunds"] == "0.00 USD"
        assert found["revenue (paid credits consumed)"] == "0.00 USD"

    def test_of_a_month_stand_beside_the_month_before(self, signed_in, financier, busy):
        today = clock.utc_day(clock.now())
        last = today.replace(day=1) - timedelta(days=1)
        MoneyDay.objects.filter(day=today).update(day=last)
        ModelDay.objects.filter(day=today).update(day=last)

        page = signed_in(financier).get(reverse(PAGE), {"month": f"{today:%Y-%m}"})

        by_label = {figure.label: figure for figure in page.context_data["figures"]}
        sold = by_label["gross sales"]
        assert (sold.number, sold.former) == ("0.00 USD", "8.00 USD")
        page = signed_in(financier).get(reverse(PAGE), {"month": f"{last:%Y-%m}"})
        assert figures(page)["margin"] == "-2.35 USD"
        [(table, _)] = [one for one in page.context_data["tables"] if one[0].name == "models"]
        assert [row[0] for row in table.rows] == ["fal.dear", "fal.flux"]

    def test_deferred_revenue_of_a_past_day_leaves_out_what_came_since(
        self, signed_in, financier, busy
    ):
        yesterday = clock.utc_day(clock.now()) - timedelta(days=1)
        page = signed_in(financier).get(reverse(PAGE), {"from": yesterday, "until": yesterday})
        assert figures(page)["deferred revenue"] == "0.00 USD"
        assert figures(page)["preview credits"] == "0.00 USD"

    def test_a_period_that_can_not_be_read_is_said(self, signed_in, financier, busy):
        text = signed_in(financier).get(reverse(PAGE), {"month": "garbage"}).content.decode()
        assert "Enter a month such as 2026-10. The last 30 days are shown." in text

    def test_name_what_moved_in_words_and_money_with_its_currency(self, signed_in, financier, busy):
        text = signed_in(financier).get(reverse(PAGE)).content.decode()
        assert "Dispute: paid credits debited" in text
        assert "8.00 USD" in text
        assert "cents" not in text.split("Ledger transfers")[1].split("By day")[0]

    def test_the_dashboard_shows_the_same_liability(self, signed_in, financier, busy):
        sections = signed_in(financier).get("/admin/").context_data["sections"]
        [card] = [card for _, cards in sections for card in cards if "Deferred" in card.label]
        assert (card.label, card.figure) == ("Deferred revenue, 2.00 USD", "200 credits")
        assert card.as_of is not None

    def test_auditors_read_and_triage_does_not(self, signed_in, auditor, triager):
        assert signed_in(auditor).get(reverse(PAGE)).status_code == 200
        assert signed_in(triager).get(reverse(PAGE)).status_code == 403


class TestCharts:
    def test_show_revenue_cost_and_margin_by_day_provider_and_model(
        self, signed_in, financier, busy
    ):
        page = signed_in(financier).get(reverse(PAGE), {"days": 7})
        titles = [title for title, _ in page.context_data["charts"]]
        assert titles == ["Revenue by day", "Provider cost by day", "Margin by day"]
        today = {title: bars[-1].value for title, bars in page.context_data["charts"]}
        assert today["Revenue by day"] == "1.00 USD"
        assert today["Margin by day"] == "-2.35 USD"
        assert all(len(bars) == 7 for _, bars in page.context_data["charts"])
        assert page.content.decode().count('role="img"') == 3 + 1 + 2

    def test_a_bar_below_zero_starts_at_the_line_of_zero(self):
        up, down = charts.bars([("a", 30), ("b", -10)])
        assert (up.top, up.height) == (0, 75)
        assert (down.top, down.height, down.left) == (75, 25, 0)
        assert up.left == 25


class TestFiles:
    def test_hold_numbers_that_a_sheet_can_add_up(self, signed_in, financier, busy):
        browser = signed_in(financier)
        by_model = {row["Model"]: row for row in rows(browser, "models")}
        assert by_model["fal.flux"]["Revenue, USD"] == "1.00"
        assert by_model["fal.dear"]["Margin, USD"] == "-2.00"
        movements = {row["Transfer"]: row for row in rows(browser, "movements")}
        assert movements["receipts"]["Amount, USD"] == "8.00"
        assert (movements["refund"]["Credits"], movements["refund"]["Amount, USD"]) == (
            "200",
            "2.00",
        )
        wallets = {row["Wallets"]: row["Credits"] for row in rows(browser, "wallets")}
        assert (wallets["paid"], wallets["held"]) == ("140", "60")

    def test_of_a_workbook_are_the_same_and_no_formula_runs(self, signed_in, financier, busy):
        ModelDay.objects.filter(model_id="fal.dear").update(model_id="=cmd()")
        answer = signed_in(financier).get(reverse(FILE, args=["models", "xlsx"]))
        sheet = openpyxl.load_workbook(io.BytesIO(answer.getvalue())).active
        names = [row[0].value for row in sheet.iter_rows(min_row=2)]
        assert sorted(names) == ["'=cmd()", "fal.flux"]
        margins = [row[8].value for row in sheet.iter_rows(min_row=2)]
        assert sorted(margins) == [-2, pytest.approx(-0.35)]

    def test_keep_to_the_days_that_the_page_shows(self, signed_in, financier, busy):
        browser = signed_in(financier)
        url = f"{reverse(FILE, args=['days', 'csv'])}?days=7&scope=test"
        page = browser.get(reverse(PAGE), {"days": 7}).content.decode()
        assert url.replace("&", "&amp;") in page
        browser.get(url)
        line = AuditLine.objects.get(action="export.csv")
        assert (line.user, line.subject, line.reason) == (
            financier,
            "position.days",
            "days=7&scope=test",
        )

    def test_are_for_who_may_see_and_export(self, signed_in, auditor, supporter, busy):
        auditor.groups.first().permissions.remove(
            *auditor.groups.first().permissions.filter(codename="export")
        )
        assert signed_in(supporter).get(reverse(FILE, args=["days", "csv"])).status_code == 403
        browser = signed_in(auditor)
        assert browser.get(reverse(FILE, args=["days", "csv"])).status_code == 403
        assert "Download" not in browser.get(reverse(PAGE)).content.decode()

    @pytest.mark.parametrize("parts", [["nothing", "csv"], ["days", "pdf"]])
    def test_of_another_name_are_not_there(self, signed_in, financier, parts):
        assert signed_in(financier).get(reverse(FILE, args=parts)).status_code == 404
