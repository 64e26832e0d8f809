"""Made-up history: whole, consistent, the same for the same seed, and never beside real money."""

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Agent, Organization
from billing import books
from billing.models import JobHold, PaymentReversal, Quote, Receipt, RefundRequest, StripeEvent
from feedback.models import Report
from imageskill.console.demo import bulk, history
from jobs import artifacts, states
from jobs.models import Asset, AssetCheck, Job, Loss

SMALL = history.Size(agents=40, jobs=400, tiles=3, reports=30)


@pytest.fixture
def storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def make(seed=1, size=SMALL):
    history.make(seed=seed, size=size, say=lambda text: None)


@pytest.mark.django_db
@pytest.mark.usefixtures("storage")
class TestHistory:
    def test_leaves_the_books_clean_and_something_of_everything(self):
        make()
        assert books.problems() == []
        assert Agent.objects.count() == 40
        assert Job.objects.count() > 300
        assert set(Job.objects.values_list("status", flat=True)) == set(states.ALL)
        assert Loss.objects.exists()
        assert AssetCheck.objects.filter(is_good=False).exists()
        assert Receipt.objects.filter(environment="stand_in").exists()
        assert Receipt.objects.filter(environment="test").exists()
        assert {"applied", "undone", "lost"} <= set(
            PaymentReversal.objects.values_list("state", flat=True)
        )
        assert RefundRequest.objects.filter(state="requested").exists()
        assert StripeEvent.objects.filter(state="failed").exists()
        assert {"new", "mirrored"} <= set(Report.objects.values_list("state", flat=True))

    def test_its_pictures_can_be_opened(self):
        make()
        asset = Asset.objects.filter(state="available", verdict__is_good=True).first()
        with artifacts.opened(asset.storage_key) as file:
            assert artifacts.facts(file).sha256 == asset.sha256

    def test_is_the_same_for_the_same_seed(self):
        make(seed=3)
        first = set(Agent.objects.values_list("public_id", "name", "claim_state"))
        make(seed=4)
        both = set(Agent.objects.values_list("public_id", "name", "claim_state"))
        assert len(both) == 2 * len(first)
        with pytest.raises(history.Refused, match="seed"):
            make(seed=3)

    def test_is_refused_where_money_was_taken(self, agent):
        quote = Quote.objects.create(
            organization=agent.organization,
            agent=agent.agent,
            idempotency_key="k",
            payment_method="stripe_checkout",
            credits=5,
            price_cents=5,
            expires_at=timezone.now(),
        )
        Receipt.objects.create(
            public_id="receipt_1",
            number="IS-2026-000001",
            organization=agent.organization,
            quote=quote,
            payment_method="stripe_checkout",
            environment="live",
            idempotency_key="k",
            credits=5,
            amount_cents=5,
            currency="USD",
            balance_after=5,
        )
        with pytest.raises(CommandError, match="live receipts"):
            call_command("demo_data")
        assert Organization.objects.count() == 1


@pytest.mark.django_db
class TestBulk:
    def test_leaves_the_books_clean(self, agent, monkeypatch):
        monkeypatch.setattr(bulk, "_AT_ONCE", 150)
        bulk.add(jobs=350, say=lambda text: None)
        assert Job.objects.count() == JobHold.objects.count() == 350
        assert books.problems() == []
