"""MCP over standard input and output where the MCP library is missing: a bridge to the server.

Each line that comes in goes to the server's `/mcp` with the caller's token, and what it answers
goes out as lines. Messages run side by side, so that a slow call holds nothing up.
"""

import json
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

from imageskill.cli import output
from imageskill.cli.errors import CliError, InvalidResponse
from imageskill.cli.session import Session
from imageskill.cli.transport import http_client

MAX_CONCURRENT_MESSAGES = 16
_FAILED = -32000  # JSON-RPC leaves this range to servers
_NO_JSON = -32700
_ACCEPTED = 202  # of a notification
_EVENT_STREAM = "text/event-stream"


class Bridge:
    """Carries messages between two streams and one server."""

    def __init__(self, session: Session, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        token = session.token(is_required=False)
        self.api = session.api
        self.headers = {"Authorization": f"Bearer {token.text}"} if token else {}
        self.incoming = incoming
        self.outgoing = outgoing
        self.lock = threading.Lock()

    def serve(self) -> None:
        """Serve until the input ends, and finish what has begun."""
        with ThreadPoolExecutor(MAX_CONCURRENT_MESSAGES) as pool:
            for line in self.incoming:
                if line.strip():
                    pool.submit(self._carry, line)

    def _carry(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            self._fail(None, _NO_JSON, "This line is no JSON.")
            return
        number = message.get("id") if isinstance(message, dict) else None
        try:
            for answer in self._ask(line):
                self._write(answer)
        except CliError as problem:
            if number is not None:  # notifications get no answer
                self._fail(number, _FAILED, str(problem))
        except Exception as error:  # noqa: BLE001 a defect must not leave the caller waiting
            output.write_diagnostic(f"{type(error).__name__} while a message was carried")
            self._fail(number, _FAILED, "This client failed; stderr says where.")

    def _ask(self, line: bytes) -> Iterator[bytes]:
        """Send one message and return each message that comes back; raises CliError."""
        headers = {"Accept": f"application/json, {_EVENT_STREAM}", **self.headers}
        with http_client.post(self.api, "/mcp", line, headers=headers) as response:
            kind = response.headers.get_content_type()
            if kind == _EVENT_STREAM:
                yield from _events(response)
                return
            text = response.read(http_client.MAX_RESPONSE_BYTES)
            if response.status == 200 and _is_message(text):
                yield text
            elif response.status != _ACCEPTED:
                raise InvalidResponse(_refusal(response.status, text))

    def _fail(self, number: Any, code: int, text: str) -> None:
        error = {"code": code, "message": text}
        self._write(json.dumps({"jsonrpc": "2.0", "id": number, "error": error}).encode())

    def _write(self, message: bytes) -> None:
        with self.lock:
            self.outgoing.write(b" ".join(message.split(b"\n")).strip() + b"\n")
            self.outgoing.flush()


def serve(session: Session) -> None:
    """Serve on this process's own streams; raises CliError where they or the token are missing."""
    Bridge(session, sys.stdin.buffer, sys.stdout.buffer).serve()


def _events(response: Any) -> Iterator[bytes]:
    """Return the data of each event of a stream."""
    data: list[bytes] = []
    for line in response:
        text = line.rstrip(b"\r\n")
        if text.startswith(b"data:"):
            data.append(text.removeprefix(b"data:").removeprefix(b" "))
        elif not text and data:
            yield b"\n".join(data)
            data = []
    if data:
        yield b"\n".join(data)


def _is_message(text: bytes) -> bool:
    try:
        return "jsonrpc" in json.loads(text)
    except (ValueError, TypeError):
        return False


def _refusal(status: int, text: bytes) -> str:
    try:
        error = json.loads(text).get("error")
    except (ValueError, AttributeError):
        error = None
    message = error.get("message") if isinstance(error, dict) else None
    return str(message or f"The server answered HTTP {status}.")
