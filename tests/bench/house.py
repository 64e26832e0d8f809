"""What measurements run on: servers of their own, and the product as processes."""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from imageskill import programs
from imageskill.dev.embedded import commands
from imageskill.dev.embedded.service import Program

_START_S = 60
_GENEROUS = {
    # Limits are not what is measured.
    "DAILY_JOBS_PREVIEW": "1000000",
    "PREVIEW_CREDITS": "10000000",
    "NEW_AGENT_CREDITS_PER_OPERATION": "1000000",
    "FAL_CONCURRENCY": "1000",
    "OPENAI_CONCURRENCY": "1000",
    "REQUESTS_PER_MINUTE_PER_CALLER": "100000000",
    "REQUESTS_PER_MINUTE_PER_NETWORK": "100000000",
    "QUOTES_PER_HOUR": "1000000",
    "CHECKOUTS_PER_HOUR": "1000000",
    "OPEN_CHECKOUTS_PER_ORGANIZATION": "1000000",
    "STARTER_GRANTS_PER_DAY": "1000000",
}


class Site:
    """A running product: web processes with 200 threads each, one worker."""

    def __init__(self, port: int, programs_: dict[str, Program], standins: str | None) -> None:
        self.port = port
        self.programs = programs_
        self.standins = standins

    def call(
        self, method: str, path: str, document: Any = None, *, token: str | None = None
    ) -> dict[str, Any]:
        """Call the API; return the envelope. Raises RuntimeError for a refusal."""
        return self._call(f"http://127.0.0.1:{self.port}{path}", method, document, token)

    def sign_up(self) -> str:
        """Return the token of a new agent."""
        document = {"agent_name": "bench-agent", "runtime": "bench"}
        token = self.call("POST", "/v1/agent-signups", document)["data"]["token"]
        return str(token)

    def ask_openai(self, document: Any) -> dict[str, Any]:
        """Ask the stand-in for OpenAI itself, as its adapter would."""
        return self._call(f"{self.standins}/openai/v1/images/generations", "POST", document, "any")

    def pace(self, **seconds: float) -> None:
        """Make the providers' stand-in as slow as that, by provider."""
        self._call(f"{self.standins}/_control/pace", "POST", seconds, None)

    @staticmethod
    def _call(url: str, method: str, document: Any, token: str | None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(url, data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{url}: {error.code} {error.read().decode()}") from None


class House:
    """The servers of this run; `site()` starts the product on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.size = os.environ.get("SIZE", "")

    @contextmanager
    def site(
        self, *, providers: bool = False, webs: int = 2, threads: int = 64, **env: str
    ) -> Iterator[Site]:
        """Run the product on a free port, with stand-ins for the providers if asked.

        `webs` are web processes, `threads` those of the worker.
        """
        port = _free_port()
        surroundings = {
            **os.environ,
            **_GENEROUS,
            "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
            "PORT": str(port),
            **env,
        }
        running: dict[str, Program] = {}
        standins = None
        try:
            if providers:
                url_file = self.folder / "providers.json"
                url_file.unlink(missing_ok=True)
                command = commands.stand_in("providers", url_file=url_file, port=0)
                running["providers"] = self._start("providers", command, surroundings)
                self._wait_for(url_file)
                surroundings |= {**json.loads(url_file.read_text()), "STANDINS": "providers"}
                standins = surroundings["FAL_QUEUE_BASE_URL"].removesuffix("/fal")
            worker = programs.worker(threads=threads)
            running["worker"] = self._start("worker", worker, surroundings)
            web = programs.web(host="127.0.0.1", port=port, workers=webs)
            running["web"] = self._start("web", web, surroundings)
            site = Site(port, running, standins)
            self._wait_until_healthy(site)
            yield site
        finally:
            for program in reversed(running.values()):
                program.stop()

    def _start(self, name: str, command: list[str], env: dict[str, str]) -> Program:
        log = self.folder / f"{name}.log"
        program = Program(command, env=env, log=log, cwd=settings.BASE_DIR)
        program.start()
        return program

    def _wait_for(self, file: Path) -> None:
        give_up_at = time.monotonic() + _START_S
        while not file.exists():
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"{file.stem} does not start\n{self._logs()}")
            time.sleep(0.05)

    def _wait_until_healthy(self, site: Site) -> None:
        give_up_at = time.monotonic() + _START_S
        while time.monotonic() < give_up_at:
            try:
                if site.call("GET", "/healthz")["data"]["status"] == "ok":
                    return
            except (OSError, RuntimeError):
                pass
            time.sleep(0.1)
        raise RuntimeError(f"the site is not healthy\n{self._logs()}")

    def _logs(self) -> str:
        return "\n".join(file.read_text()[-2000:] for file in self.folder.glob("*.log"))


def memory_mb(program: Program) -> float:
    """Return what a program and its children hold of memory, shared pages counted in part."""
    command = ["ps", "-o", "pid=", "--ppid", str(program.pid)]
    listed = subprocess.run(command, check=False, capture_output=True, text=True)  # none: status 1
    pids = [program.pid, *map(int, listed.stdout.split())]
    kilobytes = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        kilobytes += next(
            int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")
        )
    return kilobytes / 1024


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
