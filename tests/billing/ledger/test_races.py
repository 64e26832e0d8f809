"""The ledger under fire: real threads on PostgreSQL."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from accounts.models import User
from billing import ledger
from billing.chart import Purpose
from billing.ledger import checks, posting
from billing.models import PaymentReversal, RefundRequest
from billing.reversals import applying, refund_sending
from billing.stripe import gateway
from imageskill.lib import clock, ids
from tests.billing.money import buy, capture, give, hold, house, new_org, release
from tests.billing.stripe_facts import dispute, refund

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _books_in_order(transactional_db):
    yield
    assert list(checks.ledger_problems()) == []


def at_once(*calls: Callable[[], object]) -> Counter[str]:
    """Make all calls at the same moment, a thread each; count how each of them ended."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> str:
        try:
            with connection.cursor():  # connected before the start, so that the calls do meet
                barrier.wait(timeout=20)
            call()
        except Exception as error:
            return type(error).__name__
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(calls)) as pool:
        return Counter(pool.map(run, calls))


def a_job(org: int, credits: int) -> Callable[[], object]:
    job_id = ids.new("job")
    return lambda: hold(org, job_id, credits)


class TestHolds:
    def test_of_60_creates_at_once_exactly_those_that_the_balance_pays_for(self):
        org = new_org()
        give(org, 150)
        buy(org, 300)

        calls = [a_job(org, 9) for _ in range(60)]
        ends = Counter()
        for start in range(0, 60, 15):  # 15 threads at a time, within the pool of connections
            ends += at_once(*calls[start : start + 15])

        assert ends == {"done": 50, "InsufficientCredits": 10}
        assert ledger.balances(org) == (0, 0, 450, 0)

    def test_of_two_first_spends_of_a_new_organization_one_where_the_balance_pays_for_one(self):
        for _ in range(10):
            org = new_org()
            give(org, 9)

            ends = at_once(a_job(org, 9), a_job(org, 9))

            assert ends == {"done": 1, "InsufficientCredits": 1}

    def test_of_the_same_job_hold_once(self):
        org = new_org()
        give(org, 40)

        assert at_once(*[a_job_named(org, "job_a")] * 8) == {"done": 8}
        assert ledger.balances(org) == (31, 0, 9, 0)

    def test_of_two_organizations_never_wait_for_each_other_in_a_circle(self):
        first, second = new_org(), new_org()
        for org in (first, second):
            buy(org, 500)

        calls = [job_to_its_end(org) for _ in range(6) for org in (first, second)]

        assert at_once(*calls) == {"done": 12}


def a_job_named(org: int, job_id: str) -> Callable[[], object]:
    return lambda: hold(org, job_id, 9)


def job_to_its_end(org: int) -> Callable[[], object]:
    def run() -> None:
        for _ in range(5):
            job_id = ids.new("job")
            hold(org, job_id, 9)
            capture(org, job_id, 7)

    return run


class TestOneEnd:
    @pytest.fixture
    def org(self) -> int:
        org = new_org()
        give(org, 40)
        hold(org, "job_a", 9)
        return org

    def test_captured_twice_charges_once(self, org):
        ends = at_once(*[lambda: capture(org, "job_a", 9)] * 6)

        assert ends == {"done": 6}
        assert ledger.balances(org) == (31, 0, 0, 0)
        assert house(Purpose.REVENUE) == 9

    def test_captured_for_different_prices_exactly_one_wins(self, org):
        ends = at_once(*[lambda n=n: capture(org, "job_a", n) for n in range(3, 9)])

        assert ends == {"done": 1, "HoldClosed": 5}

    def test_capture_against_release_exactly_one_wins(self, org):
        for number in range(8):
            job_id = f"job_{number}"
            give(org, 9)
            hold(org, job_id, 9)

            ends = at_once(
                lambda job_id=job_id: capture(org, job_id, 9),
                lambda job_id=job_id: release(org, job_id),
            )

            assert ends == {"done": 1, "HoldClosed": 1}

    def test_released_by_many_gives_back_once(self, org):
        assert at_once(*[lambda: release(org, "job_a")] * 6) == {"done": 6}
        assert ledger.balances(org) == (40, 0, 0, 0)


class TestGrants:
    def test_one_receipt_granted_by_many_grants_once(self):
        org = new_org()
        receipt = buy(org, 500)

        def again() -> None:
            with transaction.atomic():
                ledger.grant_paid(
                    organization_id=org, receipt_id=receipt.public_id, credits=500, actor="tests"
                )

        assert at_once(*[again] * 8) == {"done": 8}
        assert ledger.balances(org) == (0, 500, 0, 0)


class TestEverythingAtOnce:
    def test_purchases_jobs_refunds_and_disputes_of_one_organization(self):
        org = new_org()
        for number in range(4):
            buy(org, 100, charge_id=f"ch_{number}")
        calls = [
            *[job_to_its_end(org)] * 4,
            *[lambda n=n: buy(org, 50, charge_id=f"ch_new_{n}") for n in range(3)],
            *[
                lambda n=n: applying.apply_refund(refund(f"re_{n}", f"ch_{n % 2}", 70))
                for n in range(4)
            ],
            *[
                lambda won=won: applying.apply_dispute(dispute("du_a", "ch_2", 100, reinstated=won))
                for won in (False, True)
            ],
        ]

        ends = at_once(*calls)

        assert set(ends) <= {"done", "InsufficientCredits"}, ends
        # 200 of the 280 refunded stand against two receipts of 100; the dispute was won.
        taken = PaymentReversal.objects.filter(kind="refund").aggregate(credits=Sum("credits"))
        assert taken == {"credits": 200}


class TestRefundUnderWay:
    @pytest.fixture
    def sent(self, monkeypatch):
        """A refund of all that an organization bought, pending at Stripe."""
        receipt = buy(new_org(), 500, charge_id="ch_k")
        request = RefundRequest.objects.create(
            receipt=receipt,
            amount_cents=500,
            reason_code="service",
            reason="tests",
            requested_by=User.objects.create(email="staff@example.com"),
            needs_second_person=False,
            state="approved",
            decided_at=clock.now(),
            expires_at=clock.now(),
        )
        pending = refund("re_k", "ch_k", 500, status="pending", request=request.stripe_key)
        monkeypatch.setattr(gateway, "create_refund", lambda **_: pending)
        monkeypatch.setattr(gateway, "list_refunds", lambda *_, **__: [pending])
        monkeypatch.setattr(gateway, "list_disputes", lambda *_, **__: [])
        refund_sending.send(request_id=request.pk)
        return request

    def test_of_60_creates_that_ask_for_its_credits_none_is_accepted(self, sent):
        org = sent.receipt.organization_id

        ends: Counter[str] = Counter()
        for _ in range(4):  # 15 threads at a time, within the pool of connections
            ends += at_once(*[a_job(org, 9) for _ in range(15)])

        assert ends == {"InsufficientCredits": 60}
        assert ledger.balances(org) == (0, 0, 500, 0)
        applying.apply_dispute(dispute("du_k", "ch_k", 500))
        applying.apply_refund(refund("re_k", "ch_k", 500, status="failed"))
        assert ledger.balances(org) == (0, 0, 0, 0)


class TestLock:
    def test_outside_a_transaction_is_refused(self):
        with pytest.raises(transaction.TransactionManagementError):
            posting.lock(new_org())
