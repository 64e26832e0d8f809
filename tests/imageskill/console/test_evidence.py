"""What a dispute's evidence says of downloads, and that all of it fits into what Stripe takes."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from accounts.models import ActivityEvent
from billing import ledger
from billing.models import DisputeEvidence, EarlyFraudWarning, PaymentReversal
from billing.purchases import fulfillment
from billing.reversals import evidence
from imageskill.console.finance import evidence_pack
from imageskill.lib import clock
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
        day, last = "November 20, 2026", "last on November 20, 2026, 10:30 UTC"
        assert lines[start + 1 : start + 4] == [
            f"{day}: image {first.public_id} downloaded 3 times, {last}",
            f"{day}: image {second.public_id} downloaded 2 times, {last}",
            f"{day}: image {first.public_id} downloaded once, {last}".replace(" 20,", " 21,"),
        ]
        assert "downloaded 50" not in log_of(dispute)

    def test_are_not_spoken_of_where_there_are_none(self, make, dispute):
        make()

        assert "downloaded" not in log_of(dispute)

    def test_reach_the_bank_once_after_a_confirmation_with_the_images(
        self, make, dispute, shop, signed_in, lead_supporter
    ):
        downloaded(make(), 4)
        browser = signed_in(lead_supporter)
        url = reverse("admin:console_evidence", args=[dispute.public_id])
        form = browser.get(url).context_data["form"].initial | {"send": "1"}

        page = browser.post(url, form).content.decode()
        assert "It can be submitted once" in page
        assert "a file with 1 image" in page
        assert shop.account.get(dispute.stripe_id)["evidence"] == {}
        for _ in range(2):
            browser.post(url, form | {"confirmed": "1"})

        told = shop.account.get(dispute.stripe_id)
        assert "downloaded 4 times" in told["evidence"]["access_activity_log"]
        assert told["evidence_details"]["submission_count"] == 1
        [file] = shop.account.all("file")
        assert told["evidence"]["service_documentation"] == file["id"]
        assert (file["purpose"], file["type"]) == ("dispute_evidence", "jpg")
        assert file["size"] > 1000

    def test_two_who_submit_at_once_submit_once(self, dispute, shop, lead_supporter):
        evidence.save_draft(
            reversal=dispute, parts={"uncategorized_text": "used"}, user=lead_supporter
        )
        DisputeEvidence.objects.update(submitting_at=clock.now())  # the other one is at it

        with pytest.raises(evidence.EvidenceRefused, match="at this moment"):
            evidence.submit(reversal=dispute, user=lead_supporter, reason="mine")

        assert shop.account.get(dispute.stripe_id)["evidence"] == {}


class TestLetter:
    def test_tells_a_reviewer_what_was_bought_and_used(self, make, dispute):
        make()

        letter = evidence_pack.build(dispute).parts["product_description"]

        assert f"bought 5,000 credits for 50.00 USD (receipt {dispute.receipt.number})" in letter
        assert "the customer received 1 image" in letter
        for code in ("job.completed", "sha256", "credits.payment_backed"):
            assert code not in log_of(dispute)
        assert "the purchased credits were added to the customer's account" in log_of(dispute)


class TestDesk:
    @pytest.fixture
    def desk(self, signed_in, lead_supporter):
        def page() -> str:
            return signed_in(lead_supporter).get(reverse("admin:billing_disputes")).content.decode()

        return page

    @pytest.mark.parametrize("state", ["rejected", "set_aside"])
    def test_shows_one_that_moves_no_credits_while_it_can_be_answered(self, dispute, desk, state):
        PaymentReversal.objects.update(state=state, problem="other_currency", credits=0)
        assert dispute.stripe_id in desk()

        PaymentReversal.objects.update(stripe_status="lost")
        assert dispute.stripe_id not in desk()

    def test_marks_what_is_overdue_unless_it_was_answered(self, dispute, desk, lead_supporter):
        PaymentReversal.objects.update(evidence_due_by=clock.now() - timedelta(hours=1))
        assert "Overdue" in desk()

        parts = {"uncategorized_text": "used"}
        evidence.save_draft(reversal=dispute, parts=parts, user=lead_supporter)
        evidence.submit(reversal=dispute, user=lead_supporter, reason="late")
        assert "Overdue" not in desk()


class TestFraudWarning:
    def test_is_recorded_and_shown_and_moves_nothing(self, dispute, shop, signed_in, financier):
        before = ledger.balances(dispute.organization_id)
        shop.account.warn_of_fraud(dispute.charge_id)
        for _ in range(2):
            shop.tell(*shop.events("radar."))

        warning = EarlyFraudWarning.objects.get()
        assert (warning.charge_id, warning.is_actionable) == (dispute.charge_id, True)
        assert ledger.balances(dispute.organization_id) == before
        browser = signed_in(financier)
        for row, name in ((dispute, "paymentreversal"), (dispute.receipt, "receipt")):
            page = browser.get(reverse(f"admin:billing_{name}_change", args=[row.pk]))
            assert "Made with stolen card" in page.content.decode()


class TestLength:
    def test_a_long_history_is_cut_by_whole_lines_and_says_so(
        self, make, dispute, signed_in, supporter
    ):
        asset = make()
        downloaded(asset, *[1] * 400)
        ActivityEvent.objects.bulk_create(
            ActivityEvent(
                organization_id=asset.organization_id, type="asset.uploaded", subject_id="x"
            )
            for _ in range(90)
        )

        log = log_of(dispute)

        assert len(log) <= evidence.MAX_CHARACTERS
        assert "order job_" in log
        assert "These images were downloaded 400 times. By day:" in log
        assert 0 < log.count(" downloaded once,") < 100
        assert log.count("… (further lines omitted)") == 2
        assert log.count("uploaded an image") > 0

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
