"""Keys for the retries of OpenAI's libraries, which repeat a call whose answer they lost.

They send no idempotency key of their own, but count their retries in a header. The key of a call
is remembered for a while by its content; a retry finds it and gets the first call's job, so that
nobody pays twice for one call.
"""

import hashlib
import json
from typing import Any

import structlog
from django.http import HttpRequest

from imageskill.lib.redis.client import RedisUnavailable, client
from jobs.submission import repeating

log = structlog.get_logger(__name__)

_KEPT_S = 3600
_RETRY_COUNT = "X-Stainless-Retry-Count"


def key_for(request: HttpRequest, terms: dict[str, Any]) -> tuple[str, bool]:
    """Return the idempotency key of a call, and whether a repeat would carry it too.

    The caller's own key counts; else the key of the call that this one repeats, or a new one.
    """
    given = request.headers.get("Idempotency-Key")
    if given is not None:
        return given, True
    name, retries = _name(request, terms), request.headers.get(_RETRY_COUNT, "")
    try:
        known = client().get(name) if retries.isdecimal() and int(retries) else None
        key = str(known or repeating.new_key())
        client().set(name, key, ex=_KEPT_S)
    except RedisUnavailable as error:
        log.warning("retries_not_remembered", error=type(error).__name__)
        return repeating.new_key(), False
    return key, bool(retries)


def _name(request: HttpRequest, terms: dict[str, Any]) -> str:
    parts = [request.headers.get("Authorization", ""), request.path_info, terms]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode())
    return f"openai-call:{digest.hexdigest()}"
