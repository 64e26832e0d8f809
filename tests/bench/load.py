"""Load on a server by plain sockets, cheap enough not to be what is measured."""

import multiprocessing
import re
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Ask:
    """A request to repeat."""

    port: int
    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def encoded(self) -> bytes:
        """Return it as it goes over the wire."""
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            f"Host: localhost:{self.port}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        if self.body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(self.body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True)
class Load:
    """How a server did."""

    seconds: float
    latencies_s: list[float]
    failures: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies_s) / self.seconds

    @property
    def median_ms(self) -> float:
        """Half of the answers were quicker."""
        return statistics.median(self.latencies_s) * 1000

    def percentile_ms(self, percent: int) -> float:
        """So many percent of the answers were quicker."""
        return statistics.quantiles(self.latencies_s, n=100)[percent - 1] * 1000


def hammer(ask: Ask, *, seconds: float, connections: int) -> Load:
    """Ask as fast as it goes over so many connections, from a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_hammer, ask, seconds, connections).result()


def probe(ask: Ask, *, seconds: float, every_s: float = 0.02) -> Load:
    """Ask at an even pace over one connection: what somebody feels who is not in a hurry."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_probe, ask, seconds, every_s).result()


def pace(asks: Sequence[Ask], *, a_second: float, senders: int = 16) -> Load:
    """Ask each once at an even pace, whether or not earlier ones were answered.

    A latency counts from when its request was due: a queue of ours would hide a slow server.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_pace, asks, a_second, senders).result()


def _pace(asks: Sequence[Ask], a_second: float, senders: int) -> Load:
    latencies: list[float] = []
    failures: list[int] = []
    began = time.perf_counter() + 0.5

    def send(share: int) -> None:
        with socket.create_connection(("127.0.0.1", asks[0].port)) as connection:
            for number in range(share, len(asks), senders):
                due = began + number / a_second
                time.sleep(max(0.0, due - time.perf_counter()))
                connection.sendall(asks[number].encoded())
                if not _receive(connection):
                    failures.append(number)
                latencies.append(time.perf_counter() - due)

    threads = [threading.Thread(target=send, args=(share,)) for share in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(time.perf_counter() - began, latencies, len(failures) + len(asks) - len(latencies))


def _probe(ask: Ask, seconds: float, every_s: float) -> Load:
    request = ask.encoded()
    latencies, failures = [], 0
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", ask.port)) as connection:
        while (asked_at := time.perf_counter()) - began < seconds:
            connection.sendall(request)
            ok = _receive(connection)
            latencies.append(time.perf_counter() - asked_at)
            failures += not ok
            time.sleep(max(0.0, asked_at + every_s - time.perf_counter()))
    return Load(time.perf_counter() - began, latencies, failures)


def _hammer(ask: Ask, seconds: float, connections: int) -> Load:
    request = ask.encoded()
    latencies, failures = [], 0
    selector = selectors.DefaultSelector()
    asked_at: dict[socket.socket, float] = {}
    began = time.perf_counter()
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", ask.port))
        selector.register(connection, selectors.EVENT_READ)
        asked_at[connection] = time.perf_counter()
        connection.sendall(request)
    while time.perf_counter() - began < seconds:
        for key, _ in selector.select(timeout=0.1):
            connection = key.fileobj
            ok = _receive(connection)
            now = time.perf_counter()
            latencies.append(now - asked_at[connection])
            failures += not ok
            asked_at[connection] = now
            connection.sendall(request)
    spent = time.perf_counter() - began
    for connection in asked_at:
        connection.close()
    return Load(spent, latencies, failures)


def _receive(connection: socket.socket) -> bool:
    """Read one answer to its end; tell whether it was a success."""
    answer = b""
    while True:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError("the server hung up")
        answer += piece
        head, found, body = answer.partition(b"\r\n\r\n")
        if not found:
            continue
        length = _LENGTH.search(head)
        if length and len(body) >= int(length[1]):
            return head.startswith(b"HTTP/1.1 2")
