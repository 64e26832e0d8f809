"""Idempotency keys: their validation, and fresh ones."""

import secrets
import time

from imageskill.lib.errors import InvalidArguments

MAX_LENGTH = 200
FLAG = "--idempotency-key"


def validate(key: str | None) -> str:
    """Return the key; refuse a missing, overlong or unprintable one."""
    if not key or not key.strip():
        raise _invalid("is required: the same key makes a retry harmless")
    if len(key) > MAX_LENGTH:
        raise _invalid(f"may have at most {MAX_LENGTH} characters")
    if not key.isprintable():
        raise _invalid("must not hold control characters")
    return key


def generate(purpose: str) -> str:
    """Return a fresh key of the form that clients use: `quote-1763700000000-1a2b3c4d`."""
    return f"{purpose}-{time.time_ns() // 1_000_000}-{secrets.token_hex(4)}"


def _invalid(message: str) -> InvalidArguments:
    return InvalidArguments(
        f"idempotency_key {message}.",
        details=[{"field": "idempotency_key", "message": message}],
        recovery={"required_flag": FLAG},
    )
