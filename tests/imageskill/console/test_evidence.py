"""What a dispute's evidence says of downloads, and that all of it fits into what Stripe takes."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from accounts.models import ActivityEvent
from billing.models import DisputeEvidence, PaymentReversal
from billing.purchases import fulfillment
from billing.reversals import evidence
from imageskill.console.finance import evidence_pack
from jobs.models import Asset, DownloadDay, Job
from tests.billing.shop import only_receipt, shop

__all__ = ["shop"]
pytestmark = pytest.mark.django_db(transaction=True)
MORNING = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture
def dispute(shop, agent):
    """A purchase that is disputed."""
    attempt = shop.attempt(agent, 5000)
    shop.account.pay(attempt.checkout_session_id)
    fulfillment.fulfill(payment_attempt_id=attempt.public_id)
    shop.account.dispute(only_receipt().charge_id)
    shop.tell(*shop.events("charge.dispute."))
    return PaymentReversal.objects.get(kind="dispute")


@pytest.fixture
def make(api, agent, drain, settings):
    settings.CREATE_WAIT_S = 0

    def made():
        body = {"prompt": "a lighthouse", "model": "local.sketch"}
        job_id = api.post("/v1/create", json=body, token=agent.token).data["job_id"]
        drain()
        return Asset.objects.get(job__public_id=job_id)

    return made


def downloaded(asset, *counts):
    for days, count in enumerate(counts):
        at = MORNING + timedelta(days=days)
        DownloadDay.objects.create(
            asset=asset, day=at.date(), count=count, first_at=at, last_at=at + timedelta(hours=1)
        )


def log_of(dispute):
    return evidence_pack.build(dispute).parts["access_activity_log"]


class TestDownloads:
    def test_are_told_by_picture_and_day(self, make, dispute):
        old = make()
        Job.objects.update(completed_at=dispute.receipt.issued_at - timedelta(days=1))
        first, second = make(), make()
        downloaded(old, 50)
        downloaded(first, 3, 1)
        downloaded(second, 2)

        lines = log_of(dispute).splitlines()

        start = lines.index("These images were downloaded 6 times. By day:")
        assert lines[start + 1 : start + 4] == [
            f"2026-11-20 {first.public_id} downloaded 3 times, last at 2026-11-20T10:30:00.000Z",
            f"2026-11-20 {second.public_id} downloaded 2 times, last at 2026-11-20T10:30:00.000Z",
            f"2026-11-21 {first.public_id} downloaded once, last at 2026-11-21T10:30:00.000Z",
        ]
        assert "downloaded 50" not in log_of(dispute)

    def test_are_not_spoken_of_where_there_are_none(self, make, dispute):
        make()

        assert "downloaded" not in log_of(dispute)

    def test_reach_the_bank(self, make, dispute, shop, signed_in, lead_supporter):
        downloaded(make(), 4)
        browser = signed_in(lead_supporter)
        url = reverse("admin:console_evidence", args=[dispute.public_id])

        browser.post(url, browser.get(url).context_data["form"].initial | {"send": "1"})

        told = shop.account.get(dispute.stripe_id)["evidence"]
        assert "downloaded 4 times" in told["access_activity_log"]


class TestLength:
    def test_a_long_history_is_cut_by_whole_lines_and_says_so(
        self, make, dispute, signed_in, supporter
    ):
        asset = make()
        downloaded(asset, *[1] * 400)
        ActivityEvent.objects.bulk_create(
            ActivityEvent(
                organization_id=asset.organization_id, type="job.completed", subject_id="x" * 100
            )
            for _ in range(90)
        )

        log = log_of(dispute)

        assert len(log) <= evidence.MAX_CHARACTERS
        assert asset.sha256 in log
        assert "These images were downloaded 400 times. By day:" in log
        assert 0 < log.count(" downloaded once,") < 100
        assert log.count("… (further lines omitted)") == 2
        assert log.count("job.completed") > 0

        browser = signed_in(supporter)
        url = reverse("admin:console_evidence", args=[dispute.public_id])
        parts = browser.get(url).context_data["form"].initial
        as_sent = {name: text.replace("\n", "\r\n") for name, text in parts.items()}
        browser.post(url, as_sent | {"save": "1"})
        assert DisputeEvidence.objects.get().parts["access_activity_log"].split() == log.split()


class TestAssetPage:
    def test_says_how_often_and_when_last(self, make, signed_in, supporter):
        asset = make()
        url = reverse("admin:jobs_asset_change", args=[asset.pk])
        browser = signed_in(supporter)
        assert ">0<" in browser.get(url).content.decode().replace("\n", "").replace(" ", "")
        downloaded(asset, 1200, 34)

        page = browser.get(url).content.decode()

        assert "1,234, last " in page
        assert "2026-11-21T10:30" in page
