"""By hand: what we send to GitHub and read of it holds against GitHub's published description.

`make contract-check SPECS=folder`, where the folder holds `api.github.com.json` of
github/rest-api-description (or has it in a folder `github`). Prints how much was held.
"""

import json
import os
import re
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jsonschema import Draft202012Validator

from feedback.github_queue import client
from feedback.github_queue.client import GithubFailure
from imageskill.dev.standins.faults import Fault
from imageskill.lib import clock
from tests.feedback.conftest import REPOSITORY, github

__all__ = ["github"]
pytestmark = [pytest.mark.by_hand, pytest.mark.django_db]

PLACES = ("api.github.com.json", "api.github.com.2022-11-28.json")
READ = ("number", "html_url", "state", "labels", "body", "updated_at")


@cache
def description() -> dict[str, Any]:
    specs = os.environ.get("SPECS", "")
    for folder in (Path(specs), Path(specs) / "github"):
        for place in PLACES:
            if specs and (folder / place).exists():
                return dict(json.loads((folder / place).read_text(encoding="utf-8")))
    pytest.skip("SPECS names no folder with GitHub's api.github.com.json")


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        node: Any = description()
        for part in schema["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        schema = node
    return schema


def operation(method: str, path: str) -> dict[str, Any]:
    for template, item in description()["paths"].items():
        expression = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(expression, path) and method.lower() in item:
            return item[method.lower()]
    raise AssertionError(f"{method} {path} is not described")


def misfits(value: Any, schema: dict[str, Any]) -> list[str]:
    schema = resolved(schema) | {"components": description()["components"]}
    return [error.message[:200] for error in Draft202012Validator(schema).iter_errors(value)]


@pytest.fixture
def journey(github, settings):
    """Every call that the client makes, against the stand-in."""
    description()
    since = clock.now() - timedelta(minutes=5)
    issue = client.create_issue(
        repository=REPOSITORY, title="title", body="<!-- m -->\nbody", labels=["agent-feedback"]
    )
    assert client.find_issue(repository=REPOSITORY, marker="<!-- m -->", since=since) == issue
    assert list(client.list_changed_issues(repository=REPOSITORY, since=since)) == [issue]
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    settings.GITHUB_TOKEN = ""
    settings.GITHUB_APP_ID, settings.GITHUB_APP_INSTALLATION_ID = "1", "2"
    settings.GITHUB_APP_PRIVATE_KEY = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    assert client.find_issue(repository=REPOSITORY, marker="<!-- n -->", since=since) is None
    return github


class TestGitHub:
    def test_every_request_is_described(self, journey, capsys):
        wrong, held = [], 0
        for request in journey.requests:
            found = operation(request.method, request.path)
            known = {
                one["name"]: one["schema"] for one in map(resolved, found.get("parameters", []))
            }
            for name, [text] in parse_qs(request.query_string).items():
                held += 1
                if name not in known:
                    wrong.append(f"{request.path} has no {name}")
                    continue
                value = int(text) if resolved(known[name]).get("type") == "integer" else text
                wrong += misfits(value, known[name])
            if request.body:
                schema = found["requestBody"]["content"]["application/json"]["schema"]
                held += len(request.json)
                wrong += [
                    f"no {name}" for name in set(request.json) - set(resolved(schema)["properties"])
                ]
                wrong += misfits(request.json, schema)
            assert request.headers["x-github-api-version"] == client.API_VERSION
        with capsys.disabled():
            version = description()["info"]["version"]
            print(f"\nGitHub {version}: {len(journey.requests)} requests with {held} values held")  # noqa: T201
        assert not wrong

    def test_what_we_read_of_an_issue_is_described(self, journey, capsys):
        schema = resolved(description()["components"]["schemas"]["issue"])
        told = journey.issues[0]
        for name in READ:
            assert name in schema["properties"], name
            assert not misfits(told[name], schema["properties"][name]), name
        assert {"number", "html_url", "state", "labels", "updated_at"} <= set(schema["required"])
        with capsys.disabled():
            print(f"\n{len(READ)} fields of an issue held")  # noqa: T201

    def test_what_we_tell_apart_is_what_they_answer(self, github):
        answers = operation("POST", f"/repos/{REPOSITORY}/issues")["responses"]
        for status in (403, 404, 410, 422, 503):
            assert str(status) in answers
            github.faults.add(Fault(status=status, body={"message": "no"}))
            with pytest.raises(GithubFailure) as failure:
                client.create_issue(repository=REPOSITORY, title="t", body="b", labels=[])
            assert failure.value.is_certain is (status < 500)

    def test_the_webhook_carries_what_we_read(self):
        described = description().get("x-webhooks") or description().get("webhooks") or {}
        for action in ("closed", "reopened", "labeled", "unlabeled"):
            post = described[f"issues-{action}"]["post"]
            schema = resolved(post["requestBody"]["content"]["application/json"]["schema"])
            assert {"action", "issue", "repository"} <= set(schema["required"])
            names = {one["name"] for one in map(resolved, post["parameters"])}
            wanted = {"X-Github-Event", "X-Github-Delivery", "X-Hub-Signature-256"}
            assert {name.lower() for name in wanted} <= {name.lower() for name in names}
