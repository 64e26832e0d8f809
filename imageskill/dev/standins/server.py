"""The ground all stand-ins share: routes, a memory of what was asked, faults on demand.

    github = StandIn("github")

    @github.route("GET", r"/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)")
    def repository(request: Request) -> Answer:
        return Answer({"full_name": "…"})

    if __name__ == "__main__":
        main(github, lambda base_url: {"GITHUB_API_BASE_URL": base_url})

In a test: `with serving(github) as base_url: …`, then `github.requests`, `github.faults`.
From another process the same by HTTP: GET and DELETE `/_control/requests`, POST and DELETE
`/_control/faults` (the fields of `Fault`), GET and POST `/_control/state`.
"""

import argparse
import json
import os
import re
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from imageskill.dev.standins.faults import Fault, Faults
from imageskill.dev.standins.messages import StandInRequest, StandInResponse

RouteHandler = Callable[[StandInRequest], StandInResponse]

LOOPBACK = "127.0.0.1"
MAX_RECORDED_REQUESTS = 500
MAX_RECORDED_BODY_BYTES = 64 * 1024
_SAVE_EVERY_S = 5.0


class StandIn:
    """One vendor's stand-in: its routes, what it was asked, what is to go wrong.

    Bodies above `body_limit` are forgotten (None: all are kept, for tests that compare them).
    """

    def __init__(self, name: str, *, body_limit: int | None = None) -> None:
        self.name = name
        self.body_limit = body_limit
        self.public_url = ""  # what its links begin with, where that is not where it listens
        self.faults = Faults()
        self.requests: deque[StandInRequest] = deque(maxlen=MAX_RECORDED_REQUESTS)
        self._routes: list[tuple[str, re.Pattern[str], RouteHandler]] = []
        self.route("GET", r"/_control/requests")(self._list_requests)
        self.route("DELETE", r"/_control/requests")(self._forget_requests)
        self.route("POST", r"/_control/faults")(self._add_fault)
        self.route("DELETE", r"/_control/faults")(self._clear_faults)
        self.route("GET", r"/_control/state")(lambda _: StandInResponse(self.state()))
        self.route("POST", r"/_control/state")(self._restore)

    def route(self, method: str, path: str) -> Callable[[RouteHandler], RouteHandler]:
        """Declare a route; its expression must match the whole path."""

        def declare(route: RouteHandler) -> RouteHandler:
            self._routes.append((method, re.compile(path), route))
            return route

        return declare

    def state(self) -> dict[str, Any]:
        """Return what outlives this process, as JSON; empty where nothing does."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take in what `state` returned, here or in another process, beside what is here."""

    def reset(self) -> None:
        """Forget what was asked and what is to go wrong."""
        self.requests.clear()
        self.faults.clear()

    def answer(self, request: StandInRequest) -> StandInResponse:
        """Answer a request by its route; 404 and 405 in JSON where there is none."""
        is_known_path = False
        for method, path, route in self._routes:
            if match := path.fullmatch(request.path):
                is_known_path = True
                if method == request.method:
                    return route(replace(request, params=match.groupdict()))
        if is_known_path:
            return StandInResponse({"message": "Method not allowed"}, 405)
        return StandInResponse({"message": "Not found"}, 404)

    def remember(self, request: StandInRequest) -> None:
        """Keep a request for whoever asks later."""
        if self.body_limit is not None and len(request.body) > self.body_limit:
            request = replace(request, body=b"")
        self.requests.append(request)

    def _restore(self, request: StandInRequest) -> StandInResponse:
        self.restore(request.json)
        return StandInResponse({})

    def _list_requests(self, _: StandInRequest) -> StandInResponse:
        return StandInResponse({"requests": [_request_out(request) for request in self.requests]})

    def _forget_requests(self, _: StandInRequest) -> StandInResponse:
        self.requests.clear()
        return StandInResponse({})

    def _add_fault(self, request: StandInRequest) -> StandInResponse:
        fault = Fault(**request.json)
        self.faults.add(fault)
        return StandInResponse(asdict(fault), 201)

    def _clear_faults(self, _: StandInRequest) -> StandInResponse:
        self.faults.clear()
        return StandInResponse({})


@contextmanager
def serve(stand_in: StandIn, *, port: int = 0) -> Iterator[str]:
    """Serve on a free port of loopback for as long as the block lasts; give the base URL."""
    server = _Server(stand_in, port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.base_url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main(stand_in: StandIn, settings: Callable[[str], Mapping[str, str]]) -> None:
    """Serve until SIGTERM or SIGINT.

    `settings` turns the base URL into the settings that point at this stand-in; they are written
    to `--url-file` as JSON once the server can answer. With `--state-file` its state outlives it:
    read at the start, written every few seconds and at the end.
    """
    parser = argparse.ArgumentParser(description=f"Stand-in for {stand_in.name}")
    parser.add_argument("--url-file", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state-file", type=Path)
    arguments = parser.parse_args()
    stand_in.body_limit = MAX_RECORDED_BODY_BYTES
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    file: Path | None = arguments.state_file
    if file is not None and file.exists():
        stand_in.restore(json.loads(file.read_text(encoding="utf-8")))
    with serve(stand_in, port=arguments.port) as base_url:
        _write_atomically(arguments.url_file, json.dumps(settings(base_url)))
        if file is None:
            stop.wait()
        else:
            _keep_until(stop, stand_in, file)


def _keep_until(stop: threading.Event, stand_in: StandIn, file: Path) -> None:
    """Write the state whenever it has changed, until asked to stop and then once more."""
    kept, is_over = "", False
    while not is_over:
        is_over = stop.wait(_SAVE_EVERY_S)
        state = json.dumps(stand_in.state())
        if state != kept:
            _write_atomically(file, state)
            kept = state


def _write_atomically(file: Path, text: str) -> None:
    """Write so that a reader sees the whole file or none."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)


def _request_out(request: StandInRequest) -> dict[str, object]:
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": dict(request.headers),
        "body": request.body.decode(errors="replace"),
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, stand_in: StandIn, port: int) -> None:
        self.stand_in = stand_in
        super().__init__((LOOPBACK, port), _Handler)
        self.base_url = f"http://{LOOPBACK}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent on callers that hang up; show what is a defect of the stand-in."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        stand_in = self.server.stand_in
        request = self._read()
        if request.path.startswith("/_control/"):
            self._send(stand_in.answer(request), Fault())
            return
        stand_in.remember(request)
        fault = stand_in.faults.take(method=request.method, path=request.path) or Fault()
        time.sleep(fault.delay_s)
        if fault.cut == "before":
            self._hang_up()
            return
        if fault.status is not None:
            self._send(StandInResponse(fault.body, fault.status, fault.headers), fault)
            return
        answer = stand_in.answer(request)
        if fault.cut == "after":
            self._hang_up()
            return
        self._send(answer, fault)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815

    def _read(self) -> StandInRequest:
        path, _, query = self.path.partition("?")
        return StandInRequest(
            method=self.command,
            path=path,
            query_string=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self._body(),
            base_url=self.server.stand_in.public_url or self.server.base_url,
        )

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if len(body) < length:
                raise ConnectionResetError
            return body
        chunks = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(chunks)

    def _send(self, answer: StandInResponse, fault: Fault) -> None:
        body, content_type = answer.encoded()
        headers = {"Content-Type": content_type, **answer.headers, "Content-Length": str(len(body))}
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault.cut == "within":
            self.wfile.write(body[: len(body) // 2])
            self._hang_up()
            return
        self._write_slowly(body, fault.pause_s)

    def _write_slowly(self, body: bytes, pause_s: float) -> None:
        steps = 10 if pause_s else 1
        step = max(1, -(-len(body) // steps))
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            time.sleep(pause_s / steps)

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing: requests carry prompts."""
