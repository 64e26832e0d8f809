"""Public ids: a prefix that says what it is, and 128 random bits in letters and digits."""

import re
import secrets
import string

ALPHABET = string.digits + string.ascii_letters
_BODY_LENGTH = 22  # 62**22 > 2**128

PREFIXES = {
    "agent": "agt_",
    "organization": "org_",
    "job": "job_",
    "asset": "image_",
    "usage": "usage_",
    "event": "evt_",
    "quote": "quote_",
    "payment_attempt": "payatt_",
    "receipt": "receipt_",
    "credit_event": "credit_event_",
    "payment_reversal": "payment_reversal_",
    "feedback": "sig_",
    "claim": "claim_",
}
_PATTERNS = {kind: re.compile(rf"{prefix}[A-Za-z0-9]{{1,64}}") for kind, prefix in PREFIXES.items()}


def new(kind: str) -> str:
    """Make a fresh public id of the kind, such as `job_…`; unguessable (128 bits)."""
    return PREFIXES[kind] + random_text(_BODY_LENGTH)


def random_text(length: int) -> str:
    """Make `length` random letters and digits, about 5.95 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def is_id(kind: str, text: str) -> bool:
    """Return whether the text has the form of an id of that kind; says nothing of its existence."""
    return _PATTERNS[kind].fullmatch(text) is not None
