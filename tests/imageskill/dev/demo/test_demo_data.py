"""Made-up history is the same for the same seed, and never beside real money or closed months."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Agent, Organization
from billing.ledger import checks
from billing.models import JobHold, MonthClose, Quote, Receipt
from billing.reconciliation import month_close
from imageskill.dev.demo import bulk, history
from jobs.catalog import switches
from jobs.models import Job

TINY = {"agents": 40, "jobs": 250, "tiles": 2, "reports": 20}


@pytest.fixture
def storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    yield
    switches.clear_cache()  # one model was switched off


def make(seed=1, bulk=0):
    history.make(seed=seed, size=history.Size(**TINY, bulk=bulk), say=lambda text: None)


@pytest.mark.django_db
@pytest.mark.usefixtures("storage")
class TestMaking:
    def test_another_seed_makes_another_one_beside_it(self):
        make(seed=3)
        first = set(Agent.objects.values_list("public_id", "name", "claim_state"))
        make(seed=4)
        both = set(Agent.objects.values_list("public_id", "name", "claim_state"))
        assert len(both) == 2 * len(first)
        with pytest.raises(history.Refused, match="seed"):
            make(seed=3)
        # The second one went into the months that the first one had closed.
        assert checks.find_problems() == []
        assert MonthClose.objects.filter(reopened_at=None).count() >= 2

    def test_is_refused_where_somebody_closed_a_month(self, financier):
        before = timezone.now().date().replace(day=1) - timedelta(days=1)
        month_close.close(month=before, user=financier, reason="it is over")
        with pytest.raises(history.Refused, match="closed"):
            make()

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
@pytest.mark.usefixtures("storage")
class TestBulk:
    def test_closes_months_after_it(self):
        make(bulk=200)
        assert Job.objects.count() > 400
        assert checks.find_problems() == []

    def test_leaves_the_books_clean(self, agent, monkeypatch):
        monkeypatch.setattr(bulk, "_AT_ONCE", 150)
        bulk.add(jobs=350, say=lambda text: None)
        assert Job.objects.count() == JobHold.objects.count() == 350
        assert checks.find_problems() == []
