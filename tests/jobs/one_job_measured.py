"""Run jobs as a worker does, in a process of its own: `python -m tests.jobs.one_job_measured ID…`.

The first job is a small one, after which everything is loaded; the last is the one to measure.
Writes as JSON what the last cost above idle: this process, and the largest of the processes that
opened its image, whole. Both at their peak, as if they came together.
"""

import json
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import django

_LOOK_EVERY_S = 0.002


def held_bytes(pid: int | str, name: str) -> int:
    """Read one of Linux's figures; 0 for a process that is gone.

    VmHWM and not ru_maxrss, which begins with what the parent had.
    """
    try:
        found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def children(pid: int | str) -> Iterator[str]:
    """Name the processes that a process has begun and that still run."""
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            yield from file.read_text().split()
        except OSError:
            continue


class Watch:
    """Looks at what the image opener's forks hold, from a thread, while a block runs."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_LOOK_EVERY_S):
            for opener in children("self"):
                for fork in children(opener):
                    self.peak_bytes = max(self.peak_bytes, held_bytes(fork, "VmHWM"))


def main(*job_ids: str) -> None:
    """Run them all; tell of the last."""
    django.setup()
    from jobs.assets import thumbnails
    from jobs.models import Asset
    from jobs.running import worker

    def do(job_id: str) -> None:
        worker.run(job_id)
        for asset in Asset.objects.filter(job__public_id=job_id):
            thumbnails.process(asset.public_id)

    for job_id in job_ids[:-1]:
        do(job_id)
    idle_bytes = held_bytes("self", "VmRSS")
    with Watch() as opening:
        do(job_ids[-1])
    worker_bytes = held_bytes("self", "VmHWM") - idle_bytes
    cost = {"worker_bytes": worker_bytes, "opening_bytes": opening.peak_bytes}
    sys.stdout.write(json.dumps(cost) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
