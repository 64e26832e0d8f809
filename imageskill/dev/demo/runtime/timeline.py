"""The clock of a history: what is planned happens in the order of time, each at its moment.

What a step hands to workers, and what vendors tell of it, is done before the next step begins.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

from django.db import connection, transaction
from django.utils.module_loading import autodiscover_modules

from imageskill import celery
from imageskill.lib import clock, database, queue, trace

_Say = Callable[[str], None]
_TASK_S = 0.05  # how long a task takes to reach its worker
_SAID_EVERY = 25


class Timeline:
    """Steps planned for their moments; `now` never goes back."""

    def __init__(self, begin: datetime) -> None:
        self.now = begin
        self.webhooks: list[Callable[[], bool]] = []  # each delivers what its vendor has to tell
        self.lost: set[str] = set()  # tasks that never reach a worker
        self._steps: list[tuple[datetime, int, Callable[[], object]]] = []
        self._numbers = count()
        self._tasks: deque[tuple[str, dict[str, Any]]] = deque()
        autodiscover_modules("tasks")

    def seconds(self) -> float:
        """Return the moment as vendors count it."""
        return self.now.timestamp()

    def plan(self, at: datetime, step: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Plan a step for a moment, after what was planned for it before."""
        heappush(self._steps, (at, next(self._numbers), lambda: step(*args, **kwargs)))

    def later(self, seconds: float, step: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Plan a step so many seconds from now."""
        self.plan(self.now + timedelta(seconds=seconds), step, *args, **kwargs)

    def wait(self, seconds: float) -> None:
        """Advance the clock within a step."""
        self.now += timedelta(seconds=seconds)

    def run(self, *, until: datetime, say: _Say) -> None:
        """Do all steps up to a moment, and leave the clock there; later ones are dropped."""
        with self.set_clock():
            for number in count(1):
                if not self._steps or self._steps[0][0] > until:
                    break
                at, _, step = heappop(self._steps)
                self.now = min(max(self.now, at), until)
                trace.clear()
                step()
                self.settle()
                if number % _SAID_EVERY == 0:
                    say(f"{self.now:%Y-%m-%d}, {number:,} steps")
        self.now = until

    @contextmanager
    def set_clock(self) -> Iterator[None]:
        """Make this the clock of this thread, and keep tasks from the broker."""
        with clock.at(lambda: self.now), queue.delivered_by(self._enqueue):
            yield

    def settle(self) -> None:
        """Do what waits for the commit, then webhooks and tasks, until nothing is left."""
        while self._commit() or self._work() or any(tell() for tell in self.webhooks):
            pass

    def lose_tasks(self) -> None:
        """Lose what the step has enqueued, as a broker that dies does."""
        self._commit()
        self._tasks.clear()

    def _enqueue(self, name: str, arguments: dict[str, Any]) -> None:
        if name not in self.lost:
            self._tasks.append((name, arguments))

    def _commit(self) -> bool:
        """Call what is to be called on commit: the one around the history comes too late."""
        hooks = [entry[1] for entry in connection.run_on_commit]
        connection.run_on_commit.clear()
        for hook in hooks:
            hook()
        return bool(hooks)

    def _work(self) -> bool:
        if not self._tasks:
            return False
        name, arguments = self._tasks.popleft()
        self.wait(_TASK_S)
        celery.app.tasks[name](**arguments)
        return True


@contextmanager
def one_transaction() -> Iterator[None]:
    """Write all or nothing, unseen by running workers until the end.

    Vendors are called inside it all the same: they are stand-ins in this process.
    """
    with transaction.atomic(), database.calls_allowed_in_transaction():
        yield
