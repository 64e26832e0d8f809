"""`check_books`: in order after honest work, and every kind of breakage is found."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from billing import ledger
from billing.ledger import checks
from billing.models import BooksCheck, Wallet
from billing.reversals import applying
from imageskill.lib import clock
from jobs.models import Job
from tests.billing.money import buy, capture, give, hold, release, spend
from tests.billing.stripe_facts import dispute, refund

pytestmark = pytest.mark.django_db


def found() -> set[str]:
    return {problem.check for problem in checks.ledger_problems()}


@pytest.fixture(autouse=True)
def _history(org):
    """Some of everything, every guard of the database that a breakage needs switched off."""
    give(org, 40)
    buy(org, 500, charge_id="ch_a")
    buy(org, 300, charge_id="ch_b")
    spend(org, 60)
    hold(org, "job_open", 30)
    hold(org, "job_released", 10)
    release(org, "job_released")
    hold(org, "job_captured", 10)
    capture(org, "job_captured", 6)
    applying.apply_refund(refund("re_a", "ch_a", 400))
    applying.apply_dispute(dispute("du_b", "ch_b", 300))
    assert ledger.balances(org) == (0, 44, 30, 0)
    assert list(checks.ledger_problems()) == []


_GUARDED = ("billing_transfer", "billing_ledgerentry", "billing_receipt", "billing_lot")


def broken(sql: str) -> None:
    """Change rows as only the owner of the tables could, with the triggers switched off."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in _GUARDED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql)


class TestEachBreakageIsFound:
    @pytest.mark.parametrize(
        ("sql", "check"),
        [
            (
                (
                    "DELETE FROM billing_ledgerentry WHERE id = (SELECT max(id) FROM"
                    " billing_ledgerentry)"
                ),
                "entries add up to zero",
            ),
            (
                (
                    "UPDATE billing_ledgerentry SET credits = credits + 1"
                    " WHERE id = (SELECT max(id) FROM billing_ledgerentry)"
                ),
                "entries add up to zero",
            ),
            (
                "UPDATE billing_wallet SET balance = balance + 1 WHERE purpose = 'revenue'",
                "balances are the sum of entries",
            ),
            (
                (
                    "UPDATE billing_ledgerentry SET balance_after = balance_after + 1 WHERE id ="
                    " (SELECT min(id) FROM billing_ledgerentry)"
                ),
                "entries carry the balance they left",
            ),
            (
                (
                    "UPDATE billing_jobhold SET state = 'released', closed_at = now()"
                    " WHERE job_id = 'job_open'"
                ),
                "held credits are those of open holds",
            ),
            (
                (
                    "UPDATE billing_jobhold SET captured_paid = captured_paid + 1"
                    " WHERE job_id = 'job_captured'"
                ),
                "holds are captured once or not at all",
            ),
            (
                "DELETE FROM billing_jobhold WHERE job_id = 'job_captured'",
                "holds are captured once or not at all",
            ),
            (
                "UPDATE billing_transfer SET key = 'stray:' || id WHERE kind = 'paid_grant'",
                "each receipt has one grant of its credits",
            ),
            (
                "UPDATE billing_receipt SET credits = 299, amount_cents = 299 WHERE credits = 300",
                "each receipt has one grant of its credits",
            ),
            (
                (
                    "UPDATE billing_taking SET receipt_id = (SELECT receipt_id FROM billing_taking"
                    " ORDER BY id LIMIT 1)"
                ),
                "reversals take at most what was granted",
            ),
            (
                "UPDATE billing_transfer SET kind = 'hold_paid' WHERE kind = 'refund'",
                "what came in less what went out is there",
            ),
            (
                'UPDATE billing_lot SET "left" = "left" + 1 WHERE "left" > 0',
                "lots are what paid credits are made of",
            ),
            (
                "UPDATE billing_taking SET owed = 5, taken = taken - 5",
                "owed credits are those of reversals",
            ),
            (
                "UPDATE billing_taking SET state = 'lost' WHERE cause = 'dispute'",
                "suspense holds open disputes only",
            ),
            (
                "UPDATE billing_paymentreversal SET credits = credits - 1",
                "each reversal in force took what it says",
            ),
            (
                "UPDATE billing_paymentreversal SET state = 'seen', credits = 0",
                "each reversal in force took what it says",
            ),
        ],
    )
    def test_by_the_check_that_is_for_it(self, sql, check):
        broken(sql)

        assert check in found()


class TestJobs:
    """What jobs say of their holds, compared by `jobs.running.hold_checks`."""

    @pytest.fixture
    def job(self, agent, org) -> Job:
        return Job.objects.create(
            public_id="job_open",
            organization_id=org,
            agent=agent.agent,
            operation="create",
            trace_id="trace_a",
            credits_held=30,
        )

    def test_a_running_job_has_its_hold(self, job):
        assert checks.find_problems() == []

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"credits_held": 31}, "planned 31, held 30"),
            (
                {"status": "failed", "error_code": "TIMEOUT", "completed_at": "2026-01-01T00Z"},
                "is failed and its hold is open",
            ),
            ({"public_id": "job_never"}, "is queued and never held anything"),
        ],
    )
    def test_a_job_and_a_hold_that_disagree_are_found(self, job, change, message):
        Job.objects.filter(pk=job.pk).update(**change)

        assert message in [problem.message for problem in checks.find_problems()]

    def test_a_hold_without_a_job_is_found(self):
        [problem] = checks.find_problems()

        assert (problem.subject, problem.message) == (
            "job_open",
            "holds credits and does not exist",
        )

    def test_a_completed_job_says_what_was_captured(self, agent, org):
        Job.objects.create(
            public_id="job_captured",
            organization_id=org,
            agent=agent.agent,
            operation="create",
            trace_id="trace_a",
            status="completed",
            completed_at="2026-01-01T00:00Z",
            credits_held=10,
            credits_captured=7,
        )

        assert "says 7, captured 6" in [problem.message for problem in checks.find_problems()]


class TestRuns:
    def test_are_kept_with_what_they_found(self):
        broken("UPDATE billing_wallet SET balance = balance + 1 WHERE purpose = 'revenue'")

        run = checks.run_check(actor="tests")

        assert run.problem_count == len(run.problems) > 0
        assert BooksCheck.objects.get().problems[0]["subject"]

    def test_the_next_one_checks_what_changed_and_finds_what_broke_since(self, org):
        release(org, "job_open")
        with clock.at(clock.now() + timedelta(hours=1)):
            first = checks.run_check(actor="tests", is_incremental=True)
            assert (first.is_full, first.problem_count) == (True, 0)
            assert first.last_transfer_id > 0
            give(org, 5)
            spend(org, 9)
            buy(org, 70)
            second = checks.run_check(actor="tests", is_incremental=True)
            assert (second.is_full, second.problems) == (False, [])
            broken("UPDATE billing_ledgerentry SET credits = credits + 1 WHERE id ="
                   " (SELECT max(id) FROM billing_ledgerentry)")  # fmt: skip
            assert checks.run_check(actor="tests", is_incremental=True).problem_count
            assert checks.run_check(actor="tests", is_incremental=True).is_full

    def test_all_of_it_is_checked_once_a_week(self, org):
        release(org, "job_open")
        checks.run_check(actor="tests")
        with clock.at(clock.now() + timedelta(days=6)):
            assert not checks.run_check(actor="tests", is_incremental=True).is_full
        with clock.at(clock.now() + timedelta(days=8)):
            assert checks.run_check(actor="tests", is_incremental=True).is_full

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE billing_ledgerentry SET balance_after = 7 WHERE balance_after = 44",
            "UPDATE billing_wallet SET balance = balance + 1 WHERE purpose = 'revenue'",
            "UPDATE billing_jobhold SET captured_paid = captured_paid - 1 WHERE captured_paid > 0",
            'UPDATE billing_lot SET "left" = "left" - 1 WHERE "left" > 0',
            "UPDATE billing_transfer SET credits = credits + 1 WHERE kind = 'capture'",
        ],
    )
    def test_each_breakage_since_a_clean_run_is_found(self, sql):
        since = checks.CheckedUpTo(0, clock.now() - timedelta(hours=1))
        assert list(checks.ledger_problems(since)) == []
        broken(sql)
        assert list(checks.ledger_problems(since))

    def test_the_command_exits_with_a_list_of_what_is_wrong(self):
        out = StringIO()
        broken("UPDATE billing_wallet SET balance = balance + 1 WHERE purpose = 'revenue'")

        with pytest.raises(CommandError, match="ledger errors"):
            call_command("check_books", stdout=out)

        assert "(revenue): balance" in out.getvalue()

    def test_the_command_is_content_with_books_in_order(self, org):
        release(org, "job_open")
        out, progress = StringIO(), StringIO()

        call_command("check_books", stdout=out, stderr=progress)

        assert "No errors" in out.getvalue()
        assert "billing.ledger.checks.ledger_problems (1 of" in progress.getvalue()


@pytest.mark.django_db(transaction=True)
def test_a_check_sees_one_moment_of_a_busy_ledger(org):
    """Outside a transaction it opens a snapshot of its own, which writes nothing."""
    assert Wallet.objects.exists()
    assert checks.find_problems() != []  # the open hold of no job, and nothing else
    assert len(checks.find_problems()) == 1
