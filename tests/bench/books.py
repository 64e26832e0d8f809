"""The ledger's checks over a long history, whole and since the last clean run."""

import time
from collections.abc import Iterator

from billing.ledger import checks
from billing.models import Transfer
from imageskill.dev.demo import bulk
from tests.bench.house import House
from tests.bench.rows import Row

JOBS, MANY_JOBS = 50_000, 500_000  # a job moves credits twice
JOBS_OF_A_DAY = 10_000
TARGET_S = 60


def measure(house: House) -> Iterator[Row]:
    """Check a history; then what one more day added to it."""
    bulk.add(jobs=MANY_JOBS if house.size == "1m" else JOBS, say=_quiet)
    transfers = Transfer.objects.count()
    full_s = _check(is_incremental=False)
    bulk.add(jobs=JOBS_OF_A_DAY, say=_quiet)
    added = Transfer.objects.count() - transfers
    since_s = _check(is_incremental=True)
    yield Row(
        f"ledger checked whole, {transfers:,} transfers",
        f"{full_s:.1f} s",
        target=f"at most {TARGET_S} s",
        is_met=full_s <= TARGET_S,
    )
    yield Row(
        f"ledger checked for {added:,} transfers since, of {transfers + added:,}",
        f"{since_s:.1f} s",
        f"{full_s:.1f} s whole",
        since_s / full_s,
    )


def _check(*, is_incremental: bool) -> float:
    began = time.perf_counter()
    run = checks.run_check(actor="bench", is_incremental=is_incremental)
    took = time.perf_counter() - began
    assert not run.problem_count, run.problems
    assert run.is_full is not is_incremental
    return took


def _quiet(_: str) -> None:
    pass
