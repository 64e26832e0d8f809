"""Unresolved outputs: each kind is listed with its actions, never silently cut off."""

import pytest
from django.urls import reverse

from imageskill.console.operations import unresolved_outputs as page
from imageskill.lib import clock
from jobs import states
from jobs.models import Job, Loss
from tests.pages.conftest import failed, made

pytestmark = pytest.mark.django_db


@pytest.fixture
def unknown(agent):
    return _set(
        made(agent),
        status=states.RUNNING,
        completed_at=None,
        credits_captured=None,
        outcome_unknown_at=clock.now(),
    )


@pytest.fixture
def unstored(agent):
    return _set(
        made(agent),
        status=states.STORING,
        completed_at=None,
        credits_captured=None,
        storage_failed_at=clock.now(),
        provider_request_id="req-77",
    )


@pytest.fixture
def uncharged(agent):
    return _set(made(agent), credits_captured=None)


@pytest.fixture
def loss(agent):
    return Loss.objects.create(job=failed(agent), reason=Loss.Reason.NOT_STORED, usd="0.04")


def _set(job, **columns):
    Job.objects.filter(pk=job.pk).update(**columns)
    job.refresh_from_db()
    return job


def sections(browser):
    answer = browser.get(reverse("admin:console_unresolved_outputs"))
    assert answer.status_code == 200
    return answer, answer.context_data["sections"]


class TestUnresolvedOutputs:
    def test_each_kind_is_listed_with_what_closes_it(
        self, signed_in, lead_supporter, unknown, unstored, uncharged, loss
    ):
        answer, found = sections(signed_in(lead_supporter))

        listed = [
            (row.job, [action.name for action, _ in row.staff_actions])
            for section in found
            for row in section.rows
        ]
        assert listed == [
            (unstored, ["repair-storage", "give-up"]),
            (unknown, ["end-unknown"]),
            (uncharged, ["adopt", "release"]),
            (loss.job, ["close"]),
        ]
        html = answer.content.decode()
        for text in (
            unstored.public_id,
            "req-77",
            uncharged.public_id,
            loss.job.public_id,
        ):
            assert f'data-copy="{text}"' in html
        assert reverse("admin:jobs_job_action", args=[uncharged.pk, "adopt"]) in html
        assert reverse("admin:jobs_loss_action", args=[loss.pk, "close"]) in html

    def test_support_may_look_at_the_deeds_and_an_auditor_at_the_cases(
        self, signed_in, supporter, auditor, uncharged
    ):
        for user, labels in (
            (supporter, ["Adopt (dry run)", "Release (dry run)"]),
            (auditor, []),
        ):
            _, found = sections(signed_in(user))
            [row] = [row for section in found for row in section.rows]
            assert row.job == uncharged
            assert [action.label for action, _ in row.staff_actions] == labels

    def test_ordinary_jobs_are_none_of_them(self, signed_in, lead_supporter, agent):
        made(agent)
        Loss.objects.create(job=failed(agent), reason=Loss.Reason.TOO_LATE)
        _, found = sections(signed_in(lead_supporter))
        assert [section.rows for section in found] == [[], [], [], []]

    def test_a_list_that_goes_on_says_so_and_leads_to_all(
        self, signed_in, lead_supporter, agent, uncharged, loss, monkeypatch
    ):
        monkeypatch.setattr(page, "_MAX_ROWS", 1)
        other = _set(made(agent, color="navy"), credits_captured=None)
        Loss.objects.create(job=other, reason=Loss.Reason.NOT_STORED)
        browser = signed_in(lead_supporter)

        answer, found = sections(browser)

        assert [len(section.rows) for section in found] == [0, 0, 1, 1]
        assert [bool(section.more_url) for section in found] == [False, False, True, True]
        assert "Showing the newest 1." in answer.content.decode()
        for section in found[2:]:
            assert browser.get(section.more_url).context_data["cl"].total.number == 2

    @pytest.mark.parametrize("kind", ["unsent", "lease", "deadline", "unknown", "unstored"])
    def test_jobs_can_be_narrowed_to_a_trouble(
        self, signed_in, lead_supporter, kind, unknown, unstored
    ):
        url = reverse("admin:jobs_job_changelist", query={"trouble": kind})
        found = signed_in(lead_supporter).get(url).context_data["cl"].result_list
        expected = {"unknown": [unknown], "unstored": [unstored]}
        assert found == expected.get(kind, [])
