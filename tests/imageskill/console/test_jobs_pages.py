"""Jobs and assets in the console."""

import pytest
from django.urls import reverse

from accounts.models import AuditLine
from jobs.models import Asset, Job

pytestmark = pytest.mark.django_db(transaction=True)

PROMPT = "a lighthouse that nobody else should read about"


@pytest.fixture
def job(api, agent, drain, settings):
    settings.CREATE_WAIT_S = 0
    made = api.post(
        "/v1/create", json={"prompt": PROMPT, "model": "local.sketch"}, token=agent.token
    )
    drain()
    return Job.objects.get(public_id=made.data["job_id"])


class TestJobPage:
    def test_it_shows_every_step_and_the_pictures_but_not_the_prompt(
        self, signed_in, supporter, job
    ):
        browser = signed_in(supporter)
        page = browser.get(reverse("admin:jobs_job_change", args=[job.pk])).content.decode()
        for step in (
            "Authorized",
            "Started",
            "Submitted",
            "Generated",
            "Stored",
            "Checked",
            "Captured",
        ):
            assert f"<strong>{step}</strong>" in page
        asset = Asset.objects.get(job=job)
        thumbnail = reverse("admin:jobs_asset_thumbnail", args=[asset.pk])
        assert thumbnail in page
        assert browser.get(thumbnail)["Content-Type"] == "image/webp"
        assert PROMPT not in page

    def test_a_prompt_is_shown_for_a_reason_and_the_audit_knows(self, signed_in, supporter, job):
        browser = signed_in(supporter)
        url = reverse("admin:jobs_job_action", args=[job.pk, "prompt"])
        form = browser.get(url).context_data
        answer = browser.post(
            url, {"seen": form["seen"], "key": form["key"], "reason": "complaint 7"}
        )
        assert PROMPT in answer.content.decode()
        assert answer["Refresh"].startswith("60;")
        assert "no-store" in answer["Cache-Control"]
        line = AuditLine.objects.get(action="job.reveal_prompt", subject=job.public_id)
        assert (line.user, line.reason) == (supporter, "complaint 7")

    def test_finance_may_not_see_it(self, signed_in, financier, job):
        url = reverse("admin:jobs_job_action", args=[job.pk, "prompt"])
        assert signed_in(financier).get(url).status_code == 403


class TestAssetPage:
    def test_a_picture_that_is_taken_down_answers_410(self, signed_in, supporter, job, client):
        asset = Asset.objects.get(job=job)
        browser = signed_in(supporter)
        url = reverse("admin:jobs_asset_action", args=[asset.pk, "withdraw"])
        form = browser.get(url).context_data
        browser.post(url, {"seen": form["seen"], "key": form["key"], "reason": "not theirs"})
        assert client.get(f"/a/{asset.public_id}.png").status_code == 410
        line = AuditLine.objects.get(subject=asset.public_id)
        assert (line.action, line.reason) == ("asset.withdrawn", "not theirs")


class TestLists:
    @pytest.mark.parametrize("name", ["job", "asset", "usage", "loss"])
    def test_each_opens(self, signed_in, operator, job, name):
        url = reverse(f"admin:jobs_{name}_changelist")
        assert signed_in(operator).get(url).status_code == 200
