"""The client as a process of its own, against a small server that answers as the API does."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from imageskill.dev.standins.server import StandIn, serve
from tests.imageskill.cli.hosted import TOKEN, hosted_api

PROJECT = Path(__file__).parents[3]


class Run(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str

    @property
    def envelope(self) -> dict:
        return json.loads(self.stdout)

    @property
    def data(self) -> dict:
        return self.envelope["data"]

    @property
    def error(self) -> dict:
        return self.envelope["error"]


class Client:
    """A person or agent at a shell, with a home folder of their own."""

    def __init__(self, home: Path, base_url: str) -> None:
        self.home = home
        self.base_url = base_url
        self.config = home / "config" / "image-skill" / "config.json"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "PYTHONPATH": str(PROJECT),
            "IMAGE_SKILL_API_BASE_URL": base_url,
            "IMAGE_SKILL_TOKEN": TOKEN,
        }

    def __call__(self, *arguments: str, stdin: str = "", **environment: str | None) -> Run:
        merged = self.environment | environment
        done = subprocess.run(
            [sys.executable, "-m", "imageskill.cli", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.home,
            env={name: value for name, value in merged.items() if value is not None},
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def hosted() -> Iterator[StandIn]:
    api = hosted_api()
    with serve(api) as base_url:
        api.base_url = base_url
        yield api


@pytest.fixture
def client(tmp_path: Path, hosted: StandIn) -> Client:
    return Client(tmp_path, hosted.base_url)


@pytest.fixture
def last_body(hosted: StandIn) -> Callable[[], dict]:
    return lambda: json.loads(hosted.requests[-1].body)
