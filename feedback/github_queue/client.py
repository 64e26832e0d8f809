"""The client of GitHub's API: the only module of this app that makes HTTP requests.

Each function is one call (or a few pages of one) and must not run inside a transaction. Errors are
a `GithubFailure`, which says whether waiting helps and for how long.
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

import hashlib
import hmac
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
import jwt
import structlog
from django.conf import settings

from imageskill.lib.database import forbid_in_transaction

log = structlog.get_logger(__name__)

API_VERSION = "2022-11-28"
_ISSUE = re.compile(
    r"(https://[^/]+/)?(?P<repository>[\w.-]+/[\w.-]+)(#|/issues/)(?P<number>\d{1,18})", re.ASCII
)
_PAGE = 100
_MAX_PAGES = 50
_SECONDARY_PAUSE_S = 60  # what GitHub advises where a response names no time
_MAX_PAUSE_S = 3600


class GithubFailure(Exception):
    """A call failed; `kind` is a code that staff and agents see.

    `is_limit`: a rate limit, nothing is wrong with the call. `is_certain`: GitHub said that
    nothing was done; otherwise it may have been. `is_ours`: credentials, repository or
    permissions are wrong, so every other call would fail too.
    """

    def __init__(
        self,
        kind: str,
        *,
        http_status: int | None = None,
        retry_after_s: float | None = None,
        is_limit: bool = False,
        is_certain: bool = True,
        is_ours: bool = False,
    ) -> None:
        super().__init__(kind if http_status is None else f"{kind} ({http_status})")
        self.kind = kind
        self.http_status = http_status
        self.retry_after_s = retry_after_s
        self.is_limit = is_limit
        self.is_certain = is_certain
        self.is_ours = is_ours


class InvalidGithubSignature(Exception):
    """The webhook was not signed by GitHub with a secret of ours."""


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as it is now."""

    number: int
    url: str
    state: str  # open, closed
    labels: tuple[str, ...]
    body: str
    updated_at: datetime

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> "Issue":
        """Parse an issue; KeyError, TypeError or ValueError if the data is not one."""
        return cls(
            number=int(data["number"]),
            url=str(data["html_url"]),
            state=str(data["state"]),
            labels=tuple(_label(label) for label in data.get("labels") or ()),
            body=str(data.get("body") or ""),
            updated_at=datetime.fromisoformat(data["updated_at"]),
        )


def parse_issue_reference(text: str) -> tuple[str, int] | None:
    """Parse `owner/name#12` or an issue's URL into repository and number."""
    match = _ISSUE.fullmatch(text.strip())
    return (match["repository"], int(match["number"])) if match else None


def is_configured() -> bool:
    """Return whether a repository and credentials are set."""
    has_app = settings.GITHUB_APP_ID and settings.GITHUB_APP_PRIVATE_KEY
    return bool(settings.GITHUB_REPOSITORY and (settings.GITHUB_TOKEN or has_app))


def create_issue(*, repository: str, title: str, body: str, labels: list[str]) -> Issue:
    """Create an issue. After a failure that is not certain, search for it before a retry."""
    payload = {"title": title, "body": body, "labels": labels}
    return _issue(_call("POST", f"/repos/{repository}/issues", json=payload).json())


def find_issue(*, repository: str, marker: str, since: datetime) -> Issue | None:
    """Find the issue whose body begins with the marker, among those changed since a moment.

    Lists issues, because GitHub's search finds new ones only after a while.
    """
    for issue in _issues(repository, since=since, sort="created", direction="desc"):
        if issue.body.startswith(marker):
            return issue
    return None


def list_changed_issues(*, repository: str, since: datetime) -> Iterator[Issue]:
    """List the issues that changed since a moment, oldest change first."""
    return _issues(repository, since=since, sort="updated", direction="asc")


def verify_webhook(*, body: bytes, signature: str) -> None:
    """Raise `InvalidGithubSignature` unless GitHub signed this body with a secret of ours."""
    for secret in settings.GITHUB_WEBHOOK_SECRETS:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        if hmac.compare_digest(f"sha256={digest}".encode(), signature.encode()):
            return
    raise InvalidGithubSignature


def _issues(repository: str, *, since: datetime, sort: str, direction: str) -> Iterator[Issue]:
    query = {
        "state": "all",
        "since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sort": sort,
        "direction": direction,
        "per_page": _PAGE,
    }
    for page in range(1, _MAX_PAGES + 1):
        response = _call("GET", f"/repos/{repository}/issues", params=query | {"page": page})
        issues = response.json()
        for data in issues:
            if "pull_request" not in data:
                yield _issue(data)
        if len(issues) < _PAGE:
            return
    raise GithubFailure("too_many_issues")


def _issue(data: Any) -> Issue:
    try:
        return Issue.read(data)
    except (KeyError, TypeError, ValueError):
        raise GithubFailure("unreadable_answer", is_certain=False) from None


def _call(method: str, path: str, *, token: str | None = None, **content: Any) -> httpx.Response:
    forbid_in_transaction("GitHub")
    headers = {"Authorization": f"Bearer {token or _token()}"}
    client = _client(settings.GITHUB_API_BASE_URL, settings.GITHUB_TIMEOUT_S)
    try:
        # A renamed repository redirects; following with POST could turn it into a GET.
        response = client.request(
            method, path, headers=headers, follow_redirects=method == "GET", **content
        )
    except httpx.ConnectError:
        raise _logged(GithubFailure("unreachable")) from None
    except httpx.HTTPError as error:
        kind = "timeout" if isinstance(error, httpx.TimeoutException) else "connection_lost"
        raise _logged(GithubFailure(kind, is_certain=False)) from None
    if response.is_success:
        return response
    raise _logged(_failure(response))


@cache
def _client(base_url: str, timeout_s: int) -> httpx.Client:
    return httpx.Client(
        base_url=base_url,
        timeout=timeout_s,
        headers={
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": API_VERSION,
            "User-Agent": "image-skill",
        },
    )


def _failure(response: httpx.Response) -> GithubFailure:
    status = response.status_code
    if status in {403, 429} and (pause := _limit_pause(response)) is not None:
        return GithubFailure("rate_limited", http_status=status, retry_after_s=pause, is_limit=True)
    if status >= 500:
        return GithubFailure(
            "unavailable",
            http_status=status,
            retry_after_s=_retry_after(response),
            is_certain=False,
        )
    kind = {
        307: "moved",
        401: "credentials",
        403: "forbidden",
        404: "no_repository",
        410: "issues_are_off",
    }
    if status in kind:
        return GithubFailure(kind[status], http_status=status, is_ours=True)
    return GithubFailure("refused", http_status=status)


def _limit_pause(response: httpx.Response) -> float | None:
    """Return how long to wait if this was a rate limit; in the order that GitHub documents."""
    after = _retry_after(response)
    if after is not None:
        return after
    if response.headers.get("x-ratelimit-remaining") == "0":
        reset = response.headers.get("x-ratelimit-reset", "")
        wait = int(reset) - time.time() if reset.isdigit() else _SECONDARY_PAUSE_S
        return min(max(wait, 1.0), _MAX_PAUSE_S)
    if response.status_code == 429 or "rate limit" in response.text[:2000].lower():
        return _SECONDARY_PAUSE_S
    return None


def _retry_after(response: httpx.Response) -> float | None:
    header = response.headers.get("retry-after", "")
    return min(max(float(header), 1.0), _MAX_PAUSE_S) if header.isdigit() else None


def _logged(failure: GithubFailure) -> GithubFailure:
    log.warning("github_failed", kind=failure.kind, http_status=failure.http_status)
    return failure


_app_token: tuple[str, datetime] | None = None
_app_token_lock = threading.Lock()


def _token() -> str:
    """Return the token to call with: the one in the settings, or an app's, renewed in time."""
    global _app_token
    if settings.GITHUB_TOKEN:
        return str(settings.GITHUB_TOKEN)
    with _app_token_lock:
        now = datetime.now(UTC)  # the machine's, not lib.clock's: GitHub compares it with its own
        if _app_token is None or _app_token[1] < now + timedelta(minutes=5):
            _app_token = _new_app_token(now)
        return _app_token[0]


def _new_app_token(now: datetime) -> tuple[str, datetime]:
    claims = {
        "iss": settings.GITHUB_APP_ID,
        "iat": int(now.timestamp()) - 60,  # GitHub's clock may be behind
        "exp": int(now.timestamp()) + 540,
    }
    proof = jwt.encode(claims, settings.GITHUB_APP_PRIVATE_KEY, algorithm="RS256")
    path = f"/app/installations/{settings.GITHUB_APP_INSTALLATION_ID}/access_tokens"
    data = _call("POST", path, token=proof).json()
    return str(data["token"]), datetime.fromisoformat(data["expires_at"])


def _label(label: Any) -> str:
    return str(label["name"] if isinstance(label, dict) else label)[:100]
