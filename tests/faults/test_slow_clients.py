"""Clients that hold connections or send slowly keep nobody else out."""

import resource
import socket
from contextlib import ExitStack

import pytest

IDLE, SLOW = 1000, 500
HEAD = (
    b"POST /v1/agent-signups HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n"
)


@pytest.fixture
def _open_files():
    """Let this process hold as many connections as the test needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE + SLOW + 200
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"this machine allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("_open_files")
def test_a_thousand_idle_and_five_hundred_slow_ones(live, agent):
    with ExitStack() as opened:

        def connect(data: bytes) -> socket.socket:
            one = opened.enter_context(
                socket.create_connection(("127.0.0.1", live.port), timeout=10)
            )
            one.sendall(data)
            return one

        for _ in range(IDLE):
            connect(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")  # kept alive
        slow = [connect(HEAD + b'{"agen') for _ in range(SLOW)]

        assert live.get("/healthz").status == 200
        assert live.get("/v1/whoami", token=agent.token).status == 200
        # Most of the slow ones are told that there is no place; the others wait for their rest.
        for one in slow:
            one.settimeout(0.2)
        assert sum(_was_refused(one) for one in slow) > SLOW / 2


def _was_refused(one: socket.socket) -> bool:
    try:
        return one.recv(2000).startswith(b"HTTP/1.1 503")
    except TimeoutError:
        return False
