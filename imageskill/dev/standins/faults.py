"""What goes wrong in a stand-in on demand: slow, refused, cut off, cut short."""

import re
import threading
from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Fault:
    """Applies to the next `times` requests (None: until taken away) that match.

    `status` with `body` answers in the route's place. `cut` closes the connection: `before` the
    route has run, `after` it ran but before its answer, or `within` the answer's body. `delay_s`
    comes before everything else, `pause_s` is spread over the answer's body (a slow download).
    """

    path: str = ""
    method: str = ""
    times: int | None = 1
    delay_s: float = 0
    pause_s: float = 0
    status: int | None = None
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: Literal["", "before", "after", "within"] = ""


class Faults:
    """The faults that are set, first match first. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Set a fault."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def take(self, *, method: str, path: str) -> Fault | None:
        """Return the first fault that applies to a request, counting it as used once."""
        with self._lock:
            for fault in self._faults:
                if fault.method in {"", method} and re.search(fault.path, path):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._faults.remove(fault)
                    return fault
        return None
