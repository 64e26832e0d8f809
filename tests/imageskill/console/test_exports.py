"""Exports: exactly the filtered list, and nothing in it that a spreadsheet would run."""

import csv
import io
from datetime import timedelta

import openpyxl
import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import Agent, AuditLine, Export, Token
from imageskill.console import exporting
from imageskill.lib import clock
from imageskill.lib.admin import exports, spreadsheets
from imageskill.lib.admin.bases import ConsoleAdmin, ReadOnlyAdmin

pytestmark = pytest.mark.django_db
CSV, XLSX = "admin:accounts_agent_export_csv", "admin:accounts_agent_export_xlsx"


LISTS = [site for site in admin.site._registry.values() if isinstance(site, ConsoleAdmin)]
SECRETS = ("password", "digest", "secret", "key", "lease", "lookup", "token")


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


class TestCsv:
    def test_it_holds_exactly_what_the_list_shows(self, signed_in, supporter, agent, stranger):
        Agent.objects.filter(pk=stranger.agent.pk).update(claim_state="payment_backed_unclaimed")
        answer = signed_in(supporter).get(reverse(CSV) + "?claim_state__exact=unclaimed")
        assert [row["public_id"] for row in rows_of(answer)] == [agent.id]

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
        assert site.export_header() == ["agent_id", "revoked_at"]

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
            assert header.split(",") == site.export_header()

    def test_people_are_told_apart_by_address_and_nothing_else_of_theirs_leaves(
        self, signed_in, supporter, sponsor
    ):
        answer = signed_in(supporter).get(reverse("admin:accounts_user_export_csv"))
        rows = rows_of(answer)
        assert sponsor.email in [row["email"] for row in rows]
        assert set(rows[0]) == {"email", "is_staff", "is_active", "date_joined", "last_login"}


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
        monkeypatch.setattr(exports, "MAX_XLSX_ROWS", 0)
        browser = signed_in(supporter)
        page = browser.get(reverse(XLSX), follow=True).content.decode()
        assert "a worker writes all of them as CSV" in page
        assert "waits for a worker" in page
        assert Export.objects.get().state == "waiting"
        drain()
        export = Export.objects.get()
        assert (export.state, export.rows) == ("ready", 1)
        url = reverse("admin:accounts_export_file", args=[export.pk])
        assert rows_of(browser.get(url))[0]["public_id"] == agent.id
        assert signed_in(financier).get(url).status_code == 404
        line = AuditLine.objects.get(action="export.download")
        assert line.user == supporter

    def test_it_says_how_far_it_is_while_it_is_written(self, asked, monkeypatch):
        monkeypatch.setattr(exporting, "_PROGRESS_EVERY", 1)
        seen = []
        cell = spreadsheets.to_cell

        def looking(value):
            seen.append(tuple(Export.objects.values_list("state", "rows").get()))
            return cell(value)

        monkeypatch.setattr(spreadsheets, "to_cell", looking)
        exporting.write_file(export_id=asked.pk)
        assert ("writing", 1) in seen
        asked.refresh_from_db()
        assert (asked.state, asked.rows) == ("ready", 2)

    def test_a_failure_is_shown_by_its_class(self, asked, signed_in, supporter):
        Export.objects.filter(pk=asked.pk).update(query="claim_state__nonsense=1")
        exporting.write_file(export_id=asked.pk)
        asked.refresh_from_db()
        assert (asked.state, asked.storage_key) == ("failed", "")
        assert asked.problem
        listed = signed_in(supporter).get(reverse("admin:accounts_export_changelist"))
        assert f"failed: {asked.problem}" in listed.content.decode()

    def test_who_may_no_longer_see_the_list_gets_nothing(self, asked, supporter):
        supporter.groups.clear()
        exporting.write_file(export_id=asked.pk)
        asked.refresh_from_db()
        assert (asked.state, asked.problem) == ("failed", "PermissionDenied")

    def test_a_message_that_comes_twice_makes_one_file(self, asked):
        exporting.write_file(export_id=asked.pk)
        asked.refresh_from_db()
        exporting.write_file(export_id=asked.pk)
        assert Export.objects.get().storage_key == asked.storage_key

    def test_one_that_no_worker_heard_of_is_sent_again(self, asked, drain):
        earlier = clock.now() - timedelta(minutes=11)
        Export.objects.filter(pk=asked.pk).update(created_at=earlier)
        exporting.clean_up()
        drain()
        assert Export.objects.get().state == "ready"

    def test_what_never_ended_ends_with_its_day(self, asked):
        Export.objects.filter(pk=asked.pk).update(expires_at=clock.now())
        exporting.clean_up()
        assert Export.objects.get().state == "failed"

    def test_filters_that_are_too_long_are_refused(self, signed_in, supporter, agent, monkeypatch):
        monkeypatch.setattr(exports, "MAX_XLSX_ROWS", 0)
        answer = signed_in(supporter).get(reverse(XLSX), {"q": agent.id + " " * 3000}, follow=True)
        assert b"too long to keep" in answer.content
        assert not Export.objects.exists()

    @pytest.fixture
    def asked(self, supporter, agent, stranger):
        """A long export of the agents that no worker has begun yet."""
        expires_at = clock.now() + timedelta(days=1)
        return Export.objects.create(user=supporter, model="accounts.agent", expires_at=expires_at)
