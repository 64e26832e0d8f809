"""Finance's calendar, without a database: what a request names, and the period before it."""

from datetime import date

import pytest

from imageskill.console.finance import periods

TODAY = date(2026, 11, 30)


def parsed(**query):
    return periods.parse(query, today=TODAY)


def ends(period):
    return period.first.isoformat(), period.last.isoformat()


class TestPeriod:
    @pytest.mark.parametrize(
        ("query", "first", "last", "label"),
        [
            ({}, "2026-11-01", "2026-11-30", "Last 30 days"),
            ({"days": "7"}, "2026-11-24", "2026-11-30", "Last 7 days"),
            ({"month": "2026-02"}, "2026-02-01", "2026-02-28", "Feb 2026"),
            ({"month": "2024-12"}, "2024-12-01", "2024-12-31", "Dec 2024"),
            ({"quarter": "2026-Q3"}, "2026-07-01", "2026-09-30", "Q3 2026"),
            ({"quarter": "2026-Q4"}, "2026-10-01", "2026-12-31", "Q4 2026"),
            ({"year": "2025"}, "2025-01-01", "2025-12-31", "2025"),
            (
                {"from": "2026-10-05", "until": "2026-10-09"},
                "2026-10-05",
                "2026-10-09",
                "Oct 5, 2026 to Oct 9, 2026",
            ),
        ],
    )
    def test_is_what_the_request_names(self, query, first, last, label):
        period = parsed(**query)
        assert (*ends(period), period.label) == (first, last, label)

    @pytest.mark.parametrize(
        ("query", "first", "last"),
        [
            ({"month": "2026-01"}, "2025-12-01", "2025-12-31"),
            ({"month": "2026-03"}, "2026-02-01", "2026-02-28"),
            ({"quarter": "2026-Q1"}, "2025-10-01", "2025-12-31"),
            ({"quarter": "2026-Q4"}, "2026-07-01", "2026-09-30"),
            ({"year": "2026"}, "2025-01-01", "2025-12-31"),
            ({"from": "2026-10-05", "until": "2026-10-09"}, "2026-09-30", "2026-10-04"),
            ({"days": "30"}, "2026-10-02", "2026-10-31"),
        ],
    )
    def test_is_compared_with_the_one_before(self, query, first, last):
        assert ends(periods.before(parsed(**query))) == (first, last)

    @pytest.mark.parametrize(
        "query",
        [
            {"month": "garbage"},
            {"month": "2026-13"},
            {"quarter": "2026-Q5"},
            {"year": "26"},
            {"days": "abc"},
            {"days": "0"},
            {"from": "2026-10-09", "until": "2026-10-05"},
            {"from": "2026-10-09"},
            {"from": "0001-01-01", "until": "9999-12-31"},
        ],
    )
    def test_that_can_not_be_read_is_refused_in_words(self, query):
        with pytest.raises(periods.InvalidPeriod, match=r"Enter|range"):
            parsed(**query)

    def test_offers_this_and_the_last_month_quarter_and_year(self):
        labels = [period.label for period in periods.recent(today=TODAY)]
        assert labels == ["Nov 2026", "Oct 2026", "Q4 2026", "Q3 2026", "2026", "2025"]
