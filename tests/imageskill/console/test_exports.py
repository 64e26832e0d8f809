"""Exports: exactly the filtered list, and nothing in it that a spreadsheet would run."""

import csv
import io

import openpyxl
import pytest
from django.urls import reverse

from accounts.models import Agent, AuditLine, Export
from imageskill.lib.admin import exports, spreadsheets

pytestmark = pytest.mark.django_db
CSV, XLSX = "admin:accounts_agent_export_csv", "admin:accounts_agent_export_xlsx"


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


class TestCsv:
    def test_it_holds_exactly_what_the_list_shows(self, signed_in, supporter, agent, stranger):
        Agent.objects.filter(pk=stranger.agent.pk).update(claim_state="payment_backed_unclaimed")
        answer = signed_in(supporter).get(reverse(CSV) + "?claim_state__exact=unclaimed")
        assert [row["public_id"] for row in rows_of(answer)] == [agent.id]

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
    def test_a_text_is_never_a_formula(self, start):
        assert spreadsheets.cell(f"{start}1+1") == f"'{start}1+1"

    def test_numbers_stay_numbers(self):
        assert spreadsheets.cell(-5) == -5

    def test_who_may_not_export_is_refused(self, signed_in, supporter, agent):
        supporter.groups.clear()
        assert signed_in(supporter).get(reverse(CSV)).status_code == 403


class TestXlsx:
    def test_it_opens_with_the_same_rows(self, signed_in, supporter, agent):
        Agent.objects.filter(pk=agent.agent.pk).update(name="=cmd()")
        answer = signed_in(supporter).get(reverse(XLSX))
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
        header = [cell.value for cell in sheet[1]]
        row = dict(zip(header, [cell.value for cell in sheet[2]], strict=True))
        assert (row["public_id"], row["name"]) == (agent.id, "'=cmd()")


@pytest.mark.django_db(transaction=True)
class TestLongExport:
    def test_a_worker_makes_it_and_only_its_owner_fetches_it(
        self, signed_in, supporter, financier, agent, drain, monkeypatch
    ):
        monkeypatch.setattr(exports, "MOST_XLSX_ROWS", 0)
        browser = signed_in(supporter)
        assert browser.get(reverse(XLSX)).status_code == 302
        drain()
        export = Export.objects.get()
        assert (export.state, export.rows) == ("ready", 1)
        url = reverse("admin:accounts_export_file", args=[export.pk])
        assert rows_of(browser.get(url))[0]["public_id"] == agent.id
        assert signed_in(financier).get(url).status_code == 404
        line = AuditLine.objects.get(action="export.download")
        assert line.user == supporter
