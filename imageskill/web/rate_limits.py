"""Rate limits of the API, over HTTP, the command line and MCP: by token and by network.

All that count for a request are counted in one round trip to Redis. Refused creates are counted
in this process first, and in Redis with the caller's next one.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock

from django.conf import settings
from django.http import HttpRequest

from accounts.mail import limits as mail_limits
from billing.api import signup_limits
from imageskill.lib.http import client_ip, is_loopback, networks_of
from imageskill.lib.redis import ratelimit
from imageskill.lib.redis.ratelimit import Bucket

_MINUTE_S, _HOUR_S = 60, 3600
_NEVER_COUNTED = {"/healthz"}
_NOT_COUNTED = {*_NEVER_COUNTED, "/v1/cli"}  # a command is counted as the request that it becomes
_CREATES = {"/v1/create", "/v1/edit"}
_HOURLY_LIMITS = {
    "/v1/feedback": "FEEDBACK_PER_HOUR",
    "/v1/upload": "UPLOADS_PER_HOUR",
    "/v1/credit-quotes": "QUOTES_PER_HOUR",
    "/v1/credit-purchases/stripe-checkout-sessions": "CHECKOUTS_PER_HOUR",
}
# Refusals that cost us something although the caller pays nothing.
_COSTLY_REFUSALS = {
    "QUOTA_EXCEEDED",
    "DAILY_JOB_LIMIT",
    "CAPABILITY_DENIED",
    "CONTENT_POLICY_DENIED",
    "BUDGET_EXCEEDED",
}
_COUNTED = "is_counted_in_limits"  # on a request that makes inner ones
_MAX_CALLERS = 10_000

_refused: OrderedDict[str, int] = OrderedDict()  # by caller, not yet in Redis
_refused_lock = Lock()


def enforce(request: HttpRequest) -> None:
    """Count this request; raise `RateLimited` if one of its caller's limits is passed."""
    if request.path_info not in _NOT_COUNTED:
        vars(request)[_COUNTED] = True
        ratelimit.consume_all([*_general(request), *_specific(request)])


def enforce_within(outer: HttpRequest, inner: HttpRequest) -> None:
    """Count a request made on behalf of another, which itself counts only once."""
    general = [] if vars(outer).get(_COUNTED) else _general(inner)
    vars(outer)[_COUNTED] = True
    ratelimit.consume_all([*general, *_specific(inner)])


def enforce_late(request: HttpRequest) -> None:
    """Count a request that nothing has counted: a command or tool that can't be read, no route."""
    if request.path_info not in _NEVER_COUNTED and not vars(request).get(_COUNTED):
        vars(request)[_COUNTED] = True
        ratelimit.consume_all(_general(request))


def count_refusal(request: HttpRequest, error_code: str) -> None:
    """Remember that a create or edit of this caller was refused."""
    if request.path_info not in _CREATES or error_code not in _COSTLY_REFUSALS:
        return
    caller = _caller(request)
    with _refused_lock:
        _refused[caller] = _refused.pop(caller, 0) + 1
        if len(_refused) > _MAX_CALLERS:
            _refused.popitem(last=False)


def _general(request: HttpRequest) -> Iterator[Bucket]:
    if not _is_anonymous(request):
        limit = settings.REQUESTS_PER_MINUTE_PER_CALLER
        yield Bucket("token", _caller(request), limit, _MINUTE_S)
    address = client_ip(request)
    if settings.LOOPBACK_IS_UNLIMITED and is_loopback(address):
        return
    limit = settings.REQUESTS_PER_MINUTE_PER_NETWORK
    for width, network in enumerate(networks_of(address)):
        yield Bucket("network", network, limit * 2**width, _MINUTE_S)


def _specific(request: HttpRequest) -> Iterator[Bucket]:
    caller, path = _caller(request), request.path_info
    if request.method != "POST":
        return
    if path in _HOURLY_LIMITS:
        yield Bucket(path, caller, getattr(settings, _HOURLY_LIMITS[path]), _HOUR_S)
    if path in _CREATES and _is_anonymous(request):
        yield Bucket("dry-run", caller, settings.ANONYMOUS_DRY_RUNS_PER_HOUR, _HOUR_S)
    elif path in _CREATES:
        limit, refused = settings.REFUSED_CREATES_PER_HOUR, _take_refusals(caller)
        yield Bucket("refused", caller, limit, _HOUR_S, amount=refused, is_of_the_past=True)
    elif path == "/v1/agent-signups" and _is_anonymous(request):
        yield from signup_limits.buckets(request)
    elif path == "/v1/agent-claims":
        yield from mail_limits.network_buckets(request)


def _is_anonymous(request: HttpRequest) -> bool:
    return "Authorization" not in request.headers


def _caller(request: HttpRequest) -> str:
    """Return what stands for the caller: a hash of its token, or its network."""
    authorization = request.headers.get("Authorization")
    if authorization is None:
        return networks_of(client_ip(request))[0]
    # As it is read for authentication: however the header is written, a token is one caller.
    token = authorization.partition(" ")[2].strip()
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def _take_refusals(caller: str) -> int:
    with _refused_lock:
        return _refused.pop(caller, 0)
