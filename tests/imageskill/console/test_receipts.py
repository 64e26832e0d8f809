"""The list of receipts: narrowed by month, day, pack and buyer, and added up."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.urls import reverse

from billing.admin.receipt_list import IssuedFilter
from billing.models import Quote
from imageskill.lib.admin import keyset
from tests.billing.money import buy

pytestmark = pytest.mark.django_db
LIST = "admin:billing_receipt_changelist"


def listing(browser, **query):
    return browser.get(reverse(LIST, query=query)).context_data["cl"]


def numbers(browser, **query):
    return {receipt.number for receipt in listing(browser, **query).result_list}


def rewritten(receipt, **columns):
    """Return the number of a receipt that had other columns all along; nothing else may do that."""
    changes = ", ".join(f"{name} = %s" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            f"UPDATE billing_receipt SET {changes} WHERE id = {receipt.pk} RETURNING number",
            list(columns.values()),
        )
        [number] = cursor.fetchone()
        cursor.execute("SET session_replication_role = origin")
    return number


def at(receipt, *moment):
    return rewritten(receipt, issued_at=datetime(*moment, tzinfo=UTC))


@pytest.fixture
def org(agent):
    return agent.organization.pk


class TestMonths:
    def test_a_month_ends_where_the_next_begins_in_utc(self, signed_in, financier, org):
        last = at(buy(org, 100), 2026, 3, 31, 23, 59, 59)
        first = at(buy(org, 100), 2026, 4, 1)
        browser = signed_in(financier)
        assert numbers(browser, issued="2026-03") == {last}
        assert numbers(browser, issued="2026-04") == {first}
        assert numbers(browser, issued="2026-04-01") == {first}
        assert numbers(browser, issued="2026-03-30") == set()

    @pytest.mark.parametrize("value", ["2026-13", "2026-02-30", "yesterday", "2026-00"])
    def test_what_is_no_month_narrows_nothing(self, signed_in, financier, org, value):
        receipt = buy(org, 100)
        assert numbers(signed_in(financier), issued=value) == {receipt.number}

    def test_every_month_since_the_first_is_offered_and_the_days_of_the_chosen(
        self, signed_in, financier, org
    ):
        at(buy(org, 100), 2026, 2, 3)
        changelist = listing(signed_in(financier), issued="2026-02")
        [spec] = [one for one in changelist.filter_specs if isinstance(one, IssuedFilter)]
        offered = [value for value, _ in spec.lookup_choices]
        assert offered[-29] == "2026-02"
        assert offered[-28:] == [f"2026-02-{day:02}" for day in range(1, 29)]


class TestPacks:
    def test_a_pack_and_what_was_no_pack_stand_apart(self, signed_in, financier, org):
        with_pack, without = buy(org, 500), buy(org, 123)
        Quote.objects.filter(pk=with_pack.quote_id).update(pack_id="starter-500")
        browser = signed_in(financier)
        assert numbers(browser, pack="starter-500") == {with_pack.number}
        assert numbers(browser, pack="-") == {without.number}


class TestBuyers:
    def test_an_organizations_page_leads_to_its_receipts_alone(
        self, signed_in, financier, org, stranger
    ):
        own, _ = buy(org, 100), buy(stranger.organization.pk, 100)
        browser = signed_in(financier)
        url = reverse(LIST, query={"organization__id__exact": org})
        page = browser.get(reverse("admin:accounts_organization_change", args=[org]))
        assert url in page.content.decode()
        assert numbers(browser, organization__id__exact=org) == {own.number}
        receipt_page = browser.get(reverse("admin:billing_receipt_change", args=[own.pk]))
        assert url in receipt_page.content.decode()

    def test_a_receipts_page_leads_to_its_agents_others(self, signed_in, financier, agent, org):
        buy(org, 100)
        receipt = buy(org, 100)
        own = rewritten(receipt, agent_id=agent.agent.pk)
        browser = signed_in(financier)
        page = browser.get(reverse("admin:billing_receipt_change", args=[receipt.pk]))
        url = reverse(LIST, query={"agent__id__exact": agent.agent.pk})
        assert url in page.content.decode()
        assert numbers(browser, agent__id__exact=agent.agent.pk) == {own}
        assert numbers(browser, q=agent.id) == {own}


class TestTotals:
    def test_they_are_of_what_the_list_is_narrowed_to(self, signed_in, financier, org, stranger):
        buy(org, 1000), buy(org, 250), buy(stranger.organization.pk, 4000)
        browser = signed_in(financier)
        [total] = listing(browser, organization__id__exact=org).totals
        assert (total["number"], total["paid"], total["total_credits"]) == (2, "12.50 USD", 1250)
        [total] = listing(browser).totals
        assert total["paid"] == "52.50 USD"

    def test_money_that_moved_is_never_added_to_money_that_did_not(self, signed_in, financier, org):
        buy(org, 1000)
        rewritten(buy(org, 250), environment="live", number="IS-2026-000001")
        totals = {row["environment"]: row["paid"] for row in listing(signed_in(financier)).totals}
        assert totals == {"live": "2.50 USD", "stand_in": "10.00 USD"}

    def test_of_a_long_list_they_are_added_up_on_request(
        self, signed_in, financier, org, monkeypatch
    ):
        monkeypatch.setattr(keyset, "EXACT_COUNT_LIMIT", 1)
        for _ in range(3):
            buy(org, 100)
        browser = signed_in(financier)
        changelist = listing(browser)
        assert changelist.totals is None
        assert "Show totals" in browser.get(reverse(LIST)).content.decode()
        [total] = listing(browser, count="exact").totals
        assert (total["number"], total["paid"]) == (3, "3.00 USD")
