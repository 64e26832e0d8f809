"""What staff do to jobs and images by the console's actions, and what that leaves behind."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse

from accounts.models import AuditLine
from billing import ledger
from billing.ledger import checks as ledger_books
from imageskill.lib import clock
from jobs import states
from jobs.assets import storage
from jobs.models import Asset, AssetCheck, Job, Loss
from jobs.running import lifecycle, staff_actions, unresolved_outputs
from tests.imageskill.console.doing import action_url, do

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job(api, agent, settings):
    """A queued job that holds one credit."""
    settings.CREATE_WAIT_S = 0
    body = {"prompt": "a pier", "model": "local.sketch"}
    made = api.post("/v1/create", json=body, token=agent.token)
    return Job.objects.get(public_id=made.data["job_id"])


@pytest.fixture
def unknown(job):
    lifecycle.start(job, lease="lost")
    job.refresh_from_db()
    lifecycle.record_call(job)
    lifecycle.mark_outcome_unknown(job)
    return again(job)


@pytest.fixture
def unstored(job, drain, monkeypatch):
    """A job whose output is kept and could not be stored."""

    def full(key, file):
        raise storage.StorageError("full")

    with monkeypatch.context() as patched:
        patched.setattr(storage, "write", full)
        drain()
    return again(job)


@pytest.fixture
def done(job, drain):
    """A completed job with its image."""
    drain()
    return again(job)


@pytest.fixture
def uncharged(job):
    """A job that somebody has set to completed by hand: stored, and its hold still stands."""
    Job.objects.filter(pk=job.pk).update(status=states.COMPLETED, completed_at=clock.now())
    Asset.objects.create(
        organization_id=job.organization_id,
        agent_id=job.agent_id,
        job=job,
        kind=Asset.Kind.GENERATED,
        mime_type="image/png",
        content_length=1,
        width=1,
        height=1,
        sha256="0" * 64,
        storage_key="nowhere",
    )
    return again(job)


def again(job):
    return Job.objects.get(pk=job.pk)


def page_of(browser, job):
    return browser.get(reverse("admin:jobs_job_change", args=[job.pk]))


def names(page):
    return {action.name for action, _ in page.context_data["object_actions"]}


def gap(page):
    """Return the step that is a gap, and the name of the action that stands there."""
    [step] = [step for step in page.context_data["steps"] if step.is_gap]
    repair = page.context_data["repair"]
    if repair:
        assert f'<a class="gap-action" href="{repair[1]}">' in page.content.decode()
    return step.name, repair and repair[0].name


def reasons(job):
    lines = AuditLine.objects.filter(subject=job.public_id).order_by("id")
    return [(line.action, line.reason) for line in lines]


def assert_books_are_clean():
    assert ledger_books.find_problems() == []


class TestCancel:
    def test_gives_the_hold_back_and_says_why(self, signed_in, supporter, agent, job):
        do(signed_in(supporter), "jobs_job", job, "cancel", reason="asked by phone")

        assert again(job).status == states.CANCELED
        assert ledger.balances(agent.organization.pk) == (40, 0, 0, 0)
        assert reasons(job) == [("job.cancel", "asked by phone")]
        assert_books_are_clean()

    def test_is_refused_once_the_job_has_ended(self, signed_in, supporter, done):
        browser = signed_in(supporter)
        assert "cancel" not in names(page_of(browser, done))
        do(browser, "jobs_job", done, "cancel")
        assert again(done).status == states.COMPLETED
        with pytest.raises(staff_actions.JobActionRefused):
            staff_actions.cancel(job=done, user=supporter, reason="late")
        assert reasons(done) == []


class TestSendToAWorker:
    def test_puts_a_lost_job_on_its_way(self, signed_in, lead_supporter, job, drain):
        Job.objects.update(sent_at=clock.now() - timedelta(minutes=5))
        browser = signed_in(lead_supporter)
        assert gap(page_of(browser, job)) == ("Started", "retry")

        do(browser, "jobs_job", job, "retry", reason="lost message")

        assert again(job).sent_at > clock.now() - timedelta(minutes=1)
        drain()
        assert again(job).status == states.COMPLETED
        assert reasons(job) == [("job.try_again", "lost message")]

    def test_support_may_only_look_at_it(self, signed_in, supporter, job):
        Job.objects.update(sent_at=clock.now() - timedelta(minutes=5))
        browser = signed_in(supporter)
        assert gap(page_of(browser, job)) == ("Started", "retry")
        assert "Send to a worker (dry run)" in page_of(browser, job).content.decode()
        form = {"seen": "", "key": "k", "reason": "because"}
        assert browser.post(action_url("jobs_job", job, "retry"), form).status_code == 403

    def test_never_revives_an_ended_job(self, lead_supporter, done):
        with pytest.raises(staff_actions.JobActionRefused):
            staff_actions.requeue(job=done, user=lead_supporter, reason="again")


class TestEndUnknown:
    def test_gives_the_hold_back_and_lists_the_possible_cost(
        self, signed_in, lead_supporter, agent, unknown
    ):
        browser = signed_in(lead_supporter)
        assert gap(page_of(browser, unknown)) == ("Generated", "end-unknown")

        do(browser, "jobs_job", unknown, "end-unknown", reason="the provider knows nothing of it")

        ended = again(unknown)
        assert (ended.status, ended.error_code) == (states.FAILED, "PROVIDER_OUTCOME_UNKNOWN")
        assert ledger.balances(agent.organization.pk) == (40, 0, 0, 0)
        assert Loss.objects.get().reason == Loss.Reason.OUTCOME_UNKNOWN
        assert reasons(unknown) == [("job.end_unknown", "the provider knows nothing of it")]
        assert_books_are_clean()

    def test_is_refused_where_the_outcome_is_known(self, lead_supporter, job):
        with pytest.raises(staff_actions.JobActionRefused):
            staff_actions.end_unknown(job=job, user=lead_supporter, reason="no")
        assert again(job).status == states.QUEUED
        assert not Loss.objects.exists()


class TestRepairStorage:
    def test_stores_what_was_kept_and_charges_once(
        self, signed_in, lead_supporter, agent, unstored, drain
    ):
        browser = signed_in(lead_supporter)
        assert gap(page_of(browser, unstored)) == ("Stored", "repair-storage")

        do(browser, "jobs_job", unstored, "repair-storage", reason="disk has room again")
        drain()

        assert again(unstored).status == states.COMPLETED
        assert again(unstored).attempts == 1
        assert ledger.balances(agent.organization.pk) == (39, 0, 0, 0)
        assert_books_are_clean()

    def test_giving_up_ends_the_job_and_its_loss_can_be_closed(
        self, signed_in, lead_supporter, agent, unstored
    ):
        browser = signed_in(lead_supporter)
        do(browser, "jobs_job", unstored, "give-up", reason="the disk is gone")

        assert again(unstored).error_code == "ARTIFACT_STORAGE_WRITE_FAILED"
        assert ledger.balances(agent.organization.pk) == (40, 0, 0, 0)
        loss = unresolved_outputs.open_losses().get()
        do(browser, "jobs_loss", loss, "close", reason="told the agent's sponsor")
        assert not unresolved_outputs.open_losses().exists()
        assert Loss.objects.exists()
        assert reasons(unstored) == [
            ("job.give_up", "the disk is gone"),
            ("loss.close", "told the agent's sponsor"),
        ]
        with pytest.raises(staff_actions.JobActionRefused):
            unresolved_outputs.close_loss(loss=loss, user=lead_supporter, reason="twice")
        assert_books_are_clean()

    def test_what_is_stored_can_not_be_given_up(self, lead_supporter, done):
        with pytest.raises(staff_actions.JobActionRefused):
            unresolved_outputs.give_up(job=done, user=lead_supporter, reason="no")
        assert not Loss.objects.exists()


class TestCheckPictures:
    def test_closes_the_gap_of_a_missing_check(self, signed_in, supporter, done, drain):
        AssetCheck.objects.all().delete()
        browser = signed_in(supporter)
        assert not [step for step in page_of(browser, done).context_data["steps"] if step.is_gap]
        Job.objects.update(completed_at=clock.now() - timedelta(minutes=5))
        assert gap(page_of(browser, done)) == ("Checked", "check")

        do(browser, "jobs_job", done, "check", reason="the worker was down")

        assert drain() == ["jobs.thumbnail"]
        assert AssetCheck.objects.get().is_good
        page = page_of(browser, done)
        assert not [step for step in page.context_data["steps"] if step.is_gap]
        assert "check" not in names(page)
        assert reasons(done) == [("job.check_pictures", "the worker was down")]


class TestUncharged:
    def test_adopting_leaves_the_picture_and_gives_the_hold_back(
        self, signed_in, lead_supporter, agent, uncharged, api
    ):
        assert ledger_books.find_problems()
        browser = signed_in(lead_supporter)
        assert {"adopt", "release"} <= names(page_of(browser, uncharged))
        said = browser.get(action_url("jobs_job", uncharged, "adopt")).content.decode()
        assert "The output (1 image) stays with its owner." in said
        assert "1 credit on hold will be released." in said

        do(browser, "jobs_job", uncharged, "adopt", reason="our mistake")

        assert again(uncharged).credits_captured == 0
        assert uncharged.assets.get().state == Asset.State.AVAILABLE
        assert ledger.balances(agent.organization.pk) == (40, 0, 0, 0)
        assert reasons(uncharged) == [("job.adopt", "our mistake")]
        assert_books_are_clean()
        assert api.get(f"/v1/jobs/{uncharged.public_id}", token=agent.token).status == 200
        assert not {"adopt", "release"} & names(page_of(browser, uncharged))

    def test_releasing_takes_the_picture_down(
        self, signed_in, lead_supporter, agent, uncharged, client
    ):
        do(signed_in(lead_supporter), "jobs_job", uncharged, "release", reason="not theirs")

        asset = uncharged.assets.get()
        assert asset.state == Asset.State.WITHDRAWN
        assert client.get(f"/a/{asset.public_id}.png").status_code == 410
        assert ledger.balances(agent.organization.pk) == (40, 0, 0, 0)
        assert reasons(uncharged) == [("job.release", "not theirs")]
        assert_books_are_clean()

    def test_no_credit_comes_back_twice(self, lead_supporter, agent, uncharged):
        stale = again(uncharged)
        unresolved_outputs.adopt(job=uncharged, user=lead_supporter, reason="first")

        for function in (unresolved_outputs.adopt, unresolved_outputs.release):
            with pytest.raises(staff_actions.JobActionRefused):
                function(job=stale, user=lead_supporter, reason="second")

        assert ledger.balances(agent.organization.pk) == (40, 0, 0, 0)
        assert reasons(uncharged) == [("job.adopt", "first")]

    def test_what_the_ledger_did_charge_stays_charged(
        self, signed_in, lead_supporter, agent, uncharged
    ):
        with transaction.atomic():
            ledger.capture(
                organization_id=agent.organization.pk, job_id=uncharged.public_id, credits=1
            )
        browser = signed_in(lead_supporter)
        said = browser.get(action_url("jobs_job", uncharged, "release")).content.decode()
        assert "1 credit captured before, so this will be refused" in said
        do(browser, "jobs_job", uncharged, "release")
        assert uncharged.assets.get().state == Asset.State.AVAILABLE

        do(browser, "jobs_job", uncharged, "adopt", reason="the row forgot")

        assert again(uncharged).credits_captured == 1
        assert again(uncharged).usage.credits == 1
        assert ledger.balances(agent.organization.pk) == (39, 0, 0, 0)
        assert_books_are_clean()


class TestPictures:
    @pytest.mark.parametrize(
        ("action_name", "state", "action"),
        [
            ("quarantine", Asset.State.QUARANTINED, "asset.quarantined"),
            ("withdraw", Asset.State.WITHDRAWN, "asset.withdrawn"),
        ],
    )
    def test_hidden_ones_answer_410_until_released(
        self, signed_in, supporter, done, client, action_name, state, action
    ):
        asset, browser = done.assets.get(), signed_in(supporter)
        address = f"/a/{asset.public_id}.png"

        do(browser, "jobs_asset", asset, action_name, reason="a complaint")
        assert done.assets.get().state == state
        assert client.get(address).status_code == 410

        do(browser, "jobs_asset", asset, "release", reason="it was fine")
        assert client.get(address).status_code == 200
        lines = AuditLine.objects.filter(subject=asset.public_id).order_by("id")
        assert [(line.action, line.reason) for line in lines] == [
            (action, "a complaint"),
            ("asset.available", "it was fine"),
        ]

    def test_who_only_reads_may_do_none_of_it(self, signed_in, auditor, done):
        browser, asset = signed_in(auditor), done.assets.get()
        for action_name in ("withdraw", "quarantine", "release", "check"):
            assert browser.post(action_url("jobs_asset", asset, action_name), {}).status_code == 403
        for action_name in ("cancel", "retry", "adopt", "release", "give-up", "end-unknown"):
            assert browser.post(action_url("jobs_job", done, action_name), {}).status_code == 403
