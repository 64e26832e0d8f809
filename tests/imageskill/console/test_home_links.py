"""The first page on a made-up history: each figure leads to exactly the rows that it counts."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from accounts.models import User
from imageskill.console.home import needs_attention
from imageskill.dev.demo import history
from imageskill.lib import clock
from jobs import states
from jobs.models import AssetCheck, Job, ModelDay
from tests.imageskill.console.test_home import HOME, card_of, cards_of


@pytest.fixture(scope="module")
def told(demo_history, django_db_blocker):
    """Let there be something in each figure, for all that only look at them."""
    with django_db_blocker.unblock():
        _trouble()


def _trouble():
    """Create a job of each open state, one overdue and one unknown, and a spoiled image."""
    now = clock.now()
    chosen = list(Job.objects.filter(operation="create", status="failed").order_by("-pk")[:3])
    for job, state in zip(chosen, states.OPEN, strict=True):
        Job.objects.filter(pk=job.pk).update(
            status=state, completed_at=None, deadline_at=now + timedelta(hours=1)
        )
    Job.objects.filter(pk=chosen[0].pk).update(deadline_at=now - timedelta(minutes=1))
    Job.objects.filter(pk=chosen[1].pk).update(outcome_unknown_at=now)
    good, other = AssetCheck.objects.order_by("pk")[:2]
    AssetCheck.objects.filter(pk=good.pk).update(is_good=False, checked_at=now)
    AssetCheck.objects.filter(pk=other.pk).update(is_good=False, checked_at=now - timedelta(days=2))
    history.count_days(now, lambda text: None)


@pytest.fixture
def everything(db, told):
    return User.objects.create_superuser("everything@example.com")


def listed(browser, url):
    """Count the rows of a list exactly."""
    page = browser.get(f"{url}{'&' if '?' in url else '?'}count=exact")
    return page.context_data["cl"].total.number


class TestLinks:
    def test_each_number_of_rows_is_what_its_list_holds(self, signed_in, everything):
        browser = signed_in(everything)
        counted = [
            card
            for card in cards_of(browser.get(HOME))
            if "_changelist" in browser.get(card.url).resolver_match.url_name
            and not card.label.startswith(("Gross sales", "Deferred revenue", "Ledger"))
        ]
        assert len(counted) >= len(needs_attention.COUNTERS) + 7
        for card in counted:
            assert listed(browser, card.url) == int(card.figure.replace(",", "")), card

    def test_there_is_something_in_most_of_them(self, signed_in, everything):
        empty = {
            card.label for card in cards_of(signed_in(everything).get(HOME)) if card.figure == "0"
        }
        # Or the test above shows little. Those of today are empty early in the day.
        assert len([label for label in empty if "today" not in label]) < 6, empty

    def test_the_liability_is_what_its_wallets_hold(self, signed_in, everything):
        browser = signed_in(everything)
        card = card_of(browser.get(HOME), "Deferred revenue")
        rows = browser.get(card.url).context_data["cl"].queryset
        assert f"{rows.aggregate(Sum('balance'))['balance__sum']:,} credits" == card.figure

    def test_bars_and_cells_lead_to_the_jobs_that_they_count(self, signed_in, everything):
        browser = signed_in(everything)
        context = browser.get(HOME).context_data
        for chart in context["charts"][:2]:
            total = sum(int(bar.value.replace(",", "")) for bar in chart.bars)
            assert listed(browser, chart.url) == total > 0
        failing = dict(context["tables"][0].rows)
        day = ModelDay.objects.filter(day__gte=clock.utc_day(clock.now()) - timedelta(days=6))
        row = day.filter(failed__gt=0, model_id__in=failing).order_by("-day").first()
        cell = failing[row.model_id][(row.day - clock.utc_day(clock.now())).days - 1]
        assert cell.text == f"{Decimal(100 * row.failed) / (row.failed + row.completed):.1f}%"
        assert listed(browser, cell.url) == row.failed

    def test_it_stays_within_its_statements(
        self, signed_in, everything, django_assert_max_num_queries
    ):
        browser = signed_in(everything)
        browser.get(HOME)
        with django_assert_max_num_queries(20):
            browser.get(HOME)
