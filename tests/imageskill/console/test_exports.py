"""Exports: exactly the filtered list, and nothing in it that a spreadsheet would run."""

import csv
import gc
import io
import weakref
from datetime import datetime, timedelta, timezone

import openpyxl
import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import Agent, AuditLine, Token
from imageskill.lib.admin import spreadsheets
from imageskill.lib.admin.bases import ConsoleAdmin, ReadOnlyAdmin

pytestmark = pytest.mark.django_db
CSV, XLSX = "admin:accounts_agent_export_csv", "admin:accounts_agent_export_xlsx"


LISTS = [site for site in admin.site._registry.values() if isinstance(site, ConsoleAdmin)]
SECRETS = ("password", "digest", "secret", "key", "lease", "lookup", "token")


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def opened(answer):
    return openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))


class TestCsv:
    def test_it_holds_exactly_what_the_list_shows(self, signed_in, supporter, agent, stranger):
        Agent.objects.filter(pk=stranger.agent.pk).update(claim_state="payment_backed_unclaimed")
        answer = signed_in(supporter).get(reverse(CSV) + "?claim_state__exact=unclaimed")
        assert [row["ID"] for row in rows_of(answer)] == [agent.id]

    @pytest.mark.parametrize(("address", "action"), [(CSV, "export.csv"), (XLSX, "export.xlsx")])
    def test_the_audit_knows_who_took_what(self, signed_in, supporter, agent, address, action):
        signed_in(supporter).get(reverse(address) + "?claim_state__exact=unclaimed")
        line = AuditLine.objects.get(action=action)
        assert (line.user, line.subject) == (supporter, "accounts.agent")
        assert line.reason == "claim_state__exact=unclaimed"
        assert line.after == {"rows": 1, "is_exact": True}

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
    def test_a_text_is_never_a_formula(self, start):
        assert spreadsheets.to_cell(f"{start}1+1") == f"'{start}1+1"

    def test_numbers_stay_numbers(self):
        assert spreadsheets.to_cell(-5) == -5

    def test_who_may_not_export_is_refused(self, signed_in, supporter, agent):
        supporter.groups.clear()
        assert signed_in(supporter).get(reverse(CSV)).status_code == 403


class TestColumns:
    @pytest.mark.parametrize("site", LISTS, ids=lambda site: site.model.__name__)
    def test_none_opens_anything_or_proves_who_somebody_is(self, site):
        columns = [*site.export_header(), *site.export_columns()]
        assert columns
        assert [name for name in columns if any(word in name for word in SECRETS)] == []

    def test_what_no_list_or_page_shows_is_left_out_where_nothing_was_chosen(self):
        class Plain(ReadOnlyAdmin):
            list_display = ("prefix", "revoked_at")
            fields = ("agent", "digest")

        site = Plain(Token, admin.site)
        assert site.export_header() == ["Agent ID", "Revoked (UTC)"]

    def test_every_list_can_be_downloaded(self, signed_in, operator, agent):
        operator.is_superuser = True
        operator.save()
        browser = signed_in(operator)
        for site in LISTS:
            opts = site.model._meta
            url = reverse(f"admin:{opts.app_label}_{opts.model_name}_export_csv")
            answer = browser.get(url)
            assert answer.status_code == 200, url
            header = b"".join(answer.streaming_content).decode().splitlines()[0]
            assert header.startswith("\ufeff")
            assert next(csv.reader([header[1:]])) == site.export_header()

    def test_people_are_told_apart_by_address_and_nothing_else_of_theirs_leaves(
        self, signed_in, supporter, sponsor
    ):
        answer = signed_in(supporter).get(reverse("admin:accounts_user_export_csv"))
        rows = rows_of(answer)
        assert sponsor.email in [row["Email"] for row in rows]
        assert set(rows[0]) == {"Email", "Is staff", "Is active", "Joined", "Last sign-in"}


class TestXlsx:
    def test_it_opens_with_the_same_rows(self, signed_in, supporter, agent):
        Agent.objects.filter(pk=agent.agent.pk).update(name="=cmd()")
        answer = signed_in(supporter).get(reverse(XLSX))
        sheet = opened(answer).active
        header = [cell.value for cell in sheet[1]]
        row = dict(zip(header, [cell.value for cell in sheet[2]], strict=True))
        assert (row["ID"], row["Name"]) == (agent.id, "'=cmd()")
        assert sheet.title == "agents"

    def test_a_further_sheet_begins_where_the_format_ends(
        self, signed_in, supporter, agent, stranger, monkeypatch
    ):
        monkeypatch.setattr(spreadsheets, "MAX_SHEET_ROWS", 2)
        workbook = opened(signed_in(supporter).get(reverse(XLSX)))
        assert workbook.sheetnames == ["agents", "agents 2"]
        first, second = workbook.worksheets
        assert [cell.value for cell in first[1]] == [cell.value for cell in second[1]]
        assert (first.max_row, second.max_row) == (2, 2)

    @pytest.fixture
    def little_garbage(self):
        """Have the collector look at what the test makes, and not at all that is loaded."""
        gc.freeze()

    @pytest.mark.usefixtures("little_garbage")
    def test_no_row_but_the_one_being_written_is_held(self):
        held = []

        class Row(list):
            def __init__(self, values):
                super().__init__(values)
                held.append(weakref.ref(self))

        def rows():
            for number in range(200):
                yield Row([number])
                gc.collect()
                assert sum(row() is not None for row in held) <= 2

        with spreadsheets.write_xlsx("numbers", ["number"], rows()) as file:
            assert openpyxl.load_workbook(file).active.max_row == 201

    def test_a_moment_is_a_date_in_utc_and_control_characters_are_left_out(self):
        at = datetime(2026, 11, 30, 8, 22, tzinfo=timezone(timedelta(hours=2)))
        with spreadsheets.write_xlsx("cells", ["at", "text"], [(at, "a\x07b")]) as file:
            cells = openpyxl.load_workbook(file).active[2]
        assert [cell.value for cell in cells] == [datetime(2026, 11, 30, 6, 22), "ab"]
