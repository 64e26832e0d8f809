"""One made-up history, looked at: in the books, in the rows, and on every page of the console."""

from datetime import timedelta
from html import unescape

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from accounts.models import Agent, Alert, AuditLine, User
from billing.ledger import checks
from billing.models import (
    CreditCorrection,
    Difference,
    DisputeEvidence,
    MonthClose,
    PaymentReversal,
    Receipt,
    ReconciledDay,
    RefundRequest,
    StripeEvent,
    UnmatchedPayment,
)
from billing.reconciliation import month_close
from feedback.models import GithubEvent, QueueItem, Report
from feedback.states import QueueState, ReportState
from imageskill.console.pages import PAGES
from imageskill.dev.demo.people import address
from jobs import states
from jobs.assets import storage
from jobs.models import Asset, AssetCheck, Job, Loss, StagedOutput

APPS = {"accounts", "billing", "jobs", "feedback"}


def states_of(model):
    return set(model.objects.values_list("state", flat=True))


@pytest.mark.django_db
@pytest.mark.usefixtures("demo_history")
@pytest.mark.xdist_group("demo")
class TestHistory:
    def test_leaves_the_books_clean_and_something_of_everything(self):
        assert checks.find_problems() == []
        assert Agent.objects.count() == 30
        assert Job.objects.count() > 110
        assert set(Job.objects.values_list("status", flat=True)) == set(states.ALL)
        assert set(Loss.objects.values_list("reason", flat=True)) >= {"not_stored", "undecodable"}
        assert AssetCheck.objects.filter(is_good=False).exists()
        assert set(Receipt.objects.values_list("environment", flat=True)) == {"stand_in", "test"}
        assert {"seen", "applied", "undone", "lost"} <= states_of(PaymentReversal)
        assert states_of(RefundRequest) == set(RefundRequest.State.values)
        assert {"requested", "approved", "turned_down"} <= states_of(CreditCorrection)
        assert {"open", "refunded"} <= states_of(UnmatchedPayment)
        assert {"handled", "failed", "ignored"} <= states_of(StripeEvent)
        assert states_of(Report) == set(ReportState)
        assert set(QueueState) - {QueueState.DEDUPED, QueueState.BLOCKED} <= states_of(QueueItem)
        assert states_of(GithubEvent) == {"handled", "ignored"}

    def test_its_disputes_have_deadlines_past_and_near_and_drafts_of_evidence(self):
        now, disputes = timezone.now(), PaymentReversal.objects.open_disputes()
        assert disputes.filter(evidence_due_by__lt=now).exists()
        assert disputes.filter(
            evidence_due_by__gt=now, evidence_due_by__lt=now + timedelta(days=2)
        ).exists()
        assert DisputeEvidence.objects.filter(sent_at=None, reversal__in=disputes).exists()
        assert DisputeEvidence.objects.exclude(sent_at=None).exists()

    def test_its_days_are_reconciled_and_differ_where_stripe_does(self):
        assert ReconciledDay.objects.count() > 70
        told = sum(
            day.stripe_payments_cents - day.receipts_cents for day in ReconciledDay.objects.all()
        )
        assert told != 0
        still_open = Difference.objects.filter(state="open")
        assert still_open.filter(owner=None).exists()
        assert still_open.exclude(owner=None).exists()
        assert Difference.objects.filter(state="closed").exclude(note="").exists()
        assert Difference.objects.filter(state="agreed").exists()
        counted = ReconciledDay.objects.filter(open_differences__gt=0)
        assert sum(counted.values_list("open_differences", flat=True)) == still_open.count()

    def test_its_closed_months_are_a_chain_and_one_was_reopened(self):
        in_force = MonthClose.objects.filter(reopened_at=None).order_by("month")
        assert len(in_force) >= 2
        assert in_force[1].previous_digest == in_force[0].digest
        assert list(month_close.problems()) == []
        reopened = MonthClose.objects.exclude(reopened_at=None).get()
        assert reopened.month == in_force[0].month

    def test_tells_sponsors_and_leaves_what_staff_did_in_the_audit(self):
        told = set(Alert.objects.values_list("kind", flat=True))
        assert {"claimed", "purchase", "dispute", "refund", "prompt_shown"} <= told
        assert not Alert.objects.filter(mailed_at=None).exists()  # nobody is mailed
        done = set(AuditLine.objects.values_list("action", flat=True))
        assert {"agent.note", "job.reveal_prompt", "month.close", "difference.close"} <= done

    def test_uploads_have_bytes_of_their_own(self):
        uploads = Asset.objects.filter(kind="uploaded")
        live = uploads.filter(state="available")
        assert live.count() > uploads.count() / 2
        keys = list(live.values_list("storage_key", flat=True))
        assert not Asset.objects.exclude(pk__in=live).filter(storage_key__in=keys).exists()
        with storage.open_asset(keys[0]) as file:
            assert storage.measure(file).sha256 == live.get(storage_key=keys[0]).sha256

    def test_what_storage_would_not_take_is_kept_for_the_next_attempt(self):
        for kept in StagedOutput.objects.all():
            assert kept.job.status == states.STORING
            with storage.open_staged(kept.kept_key) as file:
                assert storage.measure(file).sha256 == kept.sha256
        assert StagedOutput.objects.count() == Job.objects.filter(status=states.STORING).count()

    def test_providers_that_queue_and_those_that_answer_deliver_images(self):
        done = Job.objects.filter(status=states.COMPLETED).exclude(model_id="")
        assert set(done.values_list("provider_id", flat=True)) >= {"fal", "openai", "local"}

    def test_its_images_can_be_opened(self):
        asset = Asset.objects.filter(state="available", verdict__is_good=True).first()
        with storage.open_asset(asset.storage_key) as file:
            assert storage.measure(file).sha256 == asset.sha256


@pytest.mark.django_db
@pytest.mark.usefixtures("demo_history")
@pytest.mark.xdist_group("demo")
class TestConsole:
    @pytest.fixture
    def browser(self, signed_in, operator):
        operator.is_superuser = True
        operator.save()
        return signed_in(operator)

    def test_each_list_has_rows(self, browser):
        for model in admin.site._registry:
            if model._meta.app_label not in APPS:
                continue
            opts = model._meta
            url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
            answer = browser.get(url)
            assert answer.status_code == 200, url
            assert len(answer.context["cl"].result_list), url

    def test_each_page_has_something_to_show(self, browser):
        dispute = PaymentReversal.objects.filter(evidence__sent_at=None, kind="dispute").first()
        spoiled = AssetCheck.objects.filter(is_good=False).latest("pk").asset
        storing = Job.objects.filter(status=states.STORING).first()
        newest = Report.objects.filter(state="new").latest("pk")
        shown = {
            "console_search": "Search",  # a box; what it finds is tried below
            "console_image_review": reverse("admin:jobs_asset_change", args=[spoiled.pk]),
            "console_queues": "Failed Stripe webhooks",
            "console_unresolved_outputs": storing.public_id,
            "console_models": "fal.kling-image-v3-text-to-image",
            "console_switch": "reason",
            "feedback_inbox": newest.title,
            "feedback_review": newest.title,
            "console_financial_overview": "fal.z-image-turbo",
            "console_evidence": dispute.receipt.number,
        }
        arguments = {"console_evidence": [dispute.public_id]}
        for route, _, name in PAGES:
            if "<" in route and name not in arguments:
                continue  # a file of one of the others
            page = browser.get(reverse(f"admin:{name}", args=arguments.get(name)))
            assert page.status_code == 200, name
            assert shown.get(name, "") in unescape(page.content.decode()), name

    def test_search_leads_to_what_was_made_up(self, browser):
        for thing in (Job, Asset, Receipt, PaymentReversal, Report):
            asked = {"q": thing.objects.first().public_id}
            assert browser.post(reverse("admin:console_search"), asked).status_code == 302

    def test_home_shows_what_needs_attention(self, browser):
        sections = dict(browser.get(reverse("admin:index")).context["sections"])
        waiting = {tile.label.split(",")[0]: tile.figure for tile in sections["Needs attention"]}
        for label in (
            "Refunds pending approval",
            "Open disputes",
            "Failed Stripe webhooks",
            "Unmatched payments",
            "Discrepancies",
            "Unknown outcomes",
            "New feedback",
            "GitHub sync failures",
        ):
            assert waiting[label] != "0", label

    def test_each_board_column_has_reports(self, browser):
        for state in ReportState:
            answer = browser.get(reverse("admin:feedback_inbox") + f"?state={state}")
            assert answer.context["rows"], state

    def test_filters_are_there_for_each_member_of_staff(self):
        finance = User.objects.get(email=address("finance", 1))
        assert finance.saved_filters.filter(model="billing.difference").exists()
