"""A stand-in for GitHub: issues of any repository, as far as we call its REST API, and webhooks.

Run it with `python -m imageskill.dev.standins.github --url-file FILE`; `STANDIN_WEBHOOK_URL` names
where its webhooks go. In a test: `with serving(GitHub()) as base_url: …`, then read
`stand_in.issues` and act as people do with `stand_in.change(number, state="closed")`.
"""

import hashlib
import hmac
import html
import json
import os
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from imageskill.dev.standins.messages import StandInRequest, StandInResponse
from imageskill.dev.standins.server import StandIn, main

_REPOSITORY = r"/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)"
_MAX_TITLE_LENGTH, _MAX_BODY_LENGTH = 256, 65_536


class GitHubStandIn(StandIn):
    """Issues in memory; `first_number` keeps those of an earlier process apart from ours."""

    def __init__(self, *, first_number: int = 1) -> None:
        super().__init__("github")
        self.issues: list[dict[str, Any]] = []
        self.webhook_url = ""
        self.webhook_secret = ""
        self.clock: Callable[[], float] = time.time
        self._first_number = first_number
        self._lock = threading.Lock()
        self.route("POST", _REPOSITORY + "/issues")(self._create)
        self.route("GET", _REPOSITORY + "/issues")(self._list)
        self.route("GET", _REPOSITORY + r"/issues/(?P<number>\d+)")(self._read)
        self.route("PATCH", _REPOSITORY + r"/issues/(?P<number>\d+)")(self._update)
        self.route("POST", r"/app/installations/(?P<id>\d+)/access_tokens")(_app_token)
        self.route("GET", r"/(?P<owner>[^/]+)/(?P<name>[^/]+)/issues/(?P<number>\d+)")(self._page)

    def state(self) -> dict[str, Any]:
        """Return the issues."""
        with self._lock:
            return {"issues": [dict(issue) for issue in self.issues]}

    def restore(self, state: dict[str, Any]) -> None:
        """Take issues in, beside those that are here; the same numbers are replaced."""
        with self._lock:
            known = {issue["number"]: issue for issue in [*self.issues, *state["issues"]]}
            self.issues = sorted(known.values(), key=lambda issue: int(issue["number"]))

    def reset(self) -> None:
        """Forget everything."""
        super().reset()
        with self._lock:
            self.issues.clear()

    def make(
        self,
        repository: str,
        title: str,
        body: str,
        *,
        labels: list[str] | None = None,
        base_url: str = "",
    ) -> dict[str, Any]:
        """Make an issue, and tell nobody."""
        with self._lock:
            numbers = (issue["number"] for issue in self.issues)
            number = max([self._first_number - 1, *numbers]) + 1
            now, base_url = self._now(), base_url or self.public_url
            issue = {
                "id": 4_000_000_000 + number,
                "number": number,
                "title": title,
                "body": body,
                "labels": _labels(labels or []),
                "state": "open",
                "state_reason": None,
                "created_at": now,
                "updated_at": now,
                "url": f"{base_url}/repos/{repository}/issues/{number}",
                "html_url": f"{base_url}/{repository}/issues/{number}",
                "repository": repository,
            }
            self.issues.append(issue)
        return issue

    def change(
        self, number: int, *, state: str | None = None, labels: list[str] | None = None
    ) -> dict[str, Any]:
        """Close, reopen or label an issue, and tell the webhook."""
        with self._lock:
            issue = next(one for one in self.issues if one["number"] == number)
            actions = []
            if state and state != issue["state"]:
                issue["state"] = state
                actions.append("closed" if state == "closed" else "reopened")
            if labels is not None:
                issue["labels"] = _labels(labels)
                actions.append("labeled")
            issue["updated_at"] = self._now()
            told = dict(issue)
        for action in actions:
            self._tell(action, told)
        return told

    def _create(self, request: StandInRequest) -> StandInResponse:
        if refusal := _auth_error(request):
            return refusal
        asked = request.json
        repository = f"{request.params['owner']}/{request.params['name']}"
        issue = self.make(
            repository,
            asked["title"],
            asked.get("body") or "",
            labels=asked.get("labels"),
            base_url=request.base_url,
        )
        self._tell("opened", issue)
        return StandInResponse(issue, 201, _RATES)

    def _list(self, request: StandInRequest) -> StandInResponse:
        if refusal := _auth_error(request):
            return refusal
        query = request.query
        state, since = query.get("state", "open"), query.get("since", "")
        with self._lock:
            found = [
                dict(issue)
                for issue in self._of(request)
                if state in ("all", issue["state"]) and issue["updated_at"] >= since
            ]
        key = "updated_at" if query.get("sort") == "updated" else "created_at"
        found.sort(
            key=lambda issue: (issue[key], issue["number"]),
            reverse=query.get("direction", "desc") == "desc",
        )
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        headers = dict(_RATES)
        if page * size < len(found):
            here = f"{request.base_url}{request.path}"
            headers["Link"] = f'<{here}?page={page + 1}&per_page={size}>; rel="next"'
        return StandInResponse(found[(page - 1) * size : page * size], 200, headers)

    def _read(self, request: StandInRequest) -> StandInResponse:
        issue = self._find(request)
        return (
            StandInResponse(issue, 200, _RATES)
            if issue
            else StandInResponse({"message": "Not Found"}, 404)
        )

    def _update(self, request: StandInRequest) -> StandInResponse:
        if not self._find(request):
            return StandInResponse({"message": "Not Found"}, 404)
        asked = request.json
        number = int(request.params["number"])
        changed = self.change(number, state=asked.get("state"), labels=asked.get("labels"))
        return StandInResponse(changed, 200, _RATES)

    def _page(self, request: StandInRequest) -> StandInResponse:
        issue = self._find(request)
        if issue is None:
            return StandInResponse("<h1>Not found</h1>", 404)
        return StandInResponse(
            f"<!doctype html><title>Stand-in for GitHub</title><p>Not GitHub: a stand-in.</p>"
            f"<h1>{html.escape(issue['title'])} #{issue['number']}</h1>"
            f"<p>{issue['state']}</p><pre>{html.escape(issue['body'])}</pre>"
        )

    def _of(self, request: StandInRequest) -> list[dict[str, Any]]:
        repository = f"{request.params['owner']}/{request.params['name']}"
        return [issue for issue in self.issues if issue["repository"] == repository]

    def _find(self, request: StandInRequest) -> dict[str, Any] | None:
        with self._lock:
            for issue in self._of(request):
                if issue["number"] == int(request.params["number"]):
                    return dict(issue)
        return None

    def _now(self) -> str:
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _tell(self, action: str, issue: dict[str, Any]) -> None:
        if self.webhook_url:
            event = {
                "action": action,
                "issue": issue,
                "repository": {"full_name": issue["repository"]},
            }
            threading.Thread(target=self._deliver, args=(event,), daemon=True).start()

    def _deliver(self, event: dict[str, Any]) -> None:
        body, headers = sign_event(event, secret=self.webhook_secret)
        request = urllib.request.Request(self.webhook_url, data=body, headers=headers)  # noqa: S310
        try:
            urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
        except (urllib.error.URLError, OSError):
            return  # GitHub does not send again either; the scheduled read finds it


_RATES = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4999"}


def sign_event(event: dict[str, Any], *, secret: str) -> tuple[bytes, dict[str, str]]:
    """Return an event's body and headers as GitHub would send them."""
    body = json.dumps(event).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return body, {
        "Content-Type": "application/json",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": secrets.token_hex(16),
        "X-Hub-Signature-256": f"sha256={digest}",
    }


def settings(stand_in: GitHubStandIn, base_url: str) -> dict[str, str]:
    """Return the settings that lead to the stand-in."""
    return {
        "GITHUB_API_BASE_URL": base_url,
        "GITHUB_TOKEN": "github_pat_standin",
        "GITHUB_REPOSITORY": os.environ.get("GITHUB_REPOSITORY") or "stand-in/feedback",
        "GITHUB_WEBHOOK_SECRET": stand_in.webhook_secret,
        "GITHUB_QUEUE_MODE": os.environ.get("GITHUB_QUEUE_MODE") or "live",
    }


def _auth_error(request: StandInRequest) -> StandInResponse | None:
    if not request.headers.get("authorization", "").lower().startswith("bearer "):
        return StandInResponse({"message": "Requires authentication"}, 401)
    if request.method != "POST":
        return None
    asked = request.json
    title, body = asked.get("title"), asked.get("body") or ""
    if not title or len(title) > _MAX_TITLE_LENGTH or len(body) > _MAX_BODY_LENGTH:
        return StandInResponse({"message": "Validation Failed"}, 422)
    return None


def _app_token(request: StandInRequest) -> StandInResponse:
    if request.headers.get("authorization", "").count(".") != 2:
        return StandInResponse({"message": "A JSON web token could not be decoded"}, 401)
    later = datetime.fromtimestamp(time.time() + 3600, UTC).isoformat().replace("+00:00", "Z")
    return StandInResponse({"token": f"ghs_{secrets.token_hex(16)}", "expires_at": later}, 201)


def _labels(names: list[str]) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


if __name__ == "__main__":
    # Numbers go on from process to process, since the database remembers them.
    github = GitHubStandIn(first_number=int(time.time()) - 1_780_000_000)
    github.webhook_url = os.environ.get("STANDIN_WEBHOOK_URL", "")
    github.webhook_secret = os.environ.get("GITHUB_WEBHOOK_SECRET") or secrets.token_hex(16)
    main(github, lambda base_url: settings(github, base_url))
