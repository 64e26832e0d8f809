"""What tokens and keys look like, ours and the vendors': the one table that every reader uses.

Logs, reports and payment screening read it. A reader with rules of its own adds them beside
these, and says why. No pattern takes more than linear time on hostile text: each repetition is
of one class, or bounded. Apps register the keys of their vendors; this module names no app.
"""

import re
from functools import lru_cache
from typing import NamedTuple


class SecretPattern(NamedTuple):
    """What a kind of secret looks like, and what it looks like once its spaces were taken out.

    `joined` may be empty: words run together would look like this secret too often.
    """

    text: str
    joined: str = ""


# Prefixes that end words of prose ("task-", "path_") count at the beginning of a word only.
WORD_START = r"(?<![A-Za-z0-9])"

_PATTERNS: dict[str, SecretPattern] = {
    "ours": SecretPattern(r"isk_[a-z]_[\w.-]{8,}", joined=r"isk_r_[A-Za-z0-9]{20,}"),
    "stripe": SecretPattern(
        r"(?:sk|rk|pk|ek)_(?:live|test)_\w{8,}|whsec_\w{8,}",
        joined=r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{16,}",
    ),
    "github": SecretPattern(
        r"gh[pousr]_\w{16,}|github_pat_\w{16,}",
        joined=r"gh[pousr]_[A-Za-z0-9]{24,}|github_pat_[A-Za-z0-9]{20,}",
    ),
    "gitlab": SecretPattern(r"glpat-[\w-]{16,}"),
    "aws": SecretPattern(r"(?:AKIA|ASIA)[A-Z0-9]{16}", joined=r"AKIA[A-Z0-9]{16}"),
    "google": SecretPattern(r"AIza[\w-]{30,}|ya29\.[\w-]{20,}"),
    "anthropic": SecretPattern(rf"{WORD_START}sk-ant-[\w-]{{16,}}", joined=r"sk-ant-[\w-]{16,}"),
    "models": SecretPattern(rf"{WORD_START}(?:gsk|r8|hf)_\w{{20,}}"),  # Groq, Replicate, HF
    "slack": SecretPattern(r"xox[abeprs]-[\w-]{10,}"),
    "mail": SecretPattern(r"SG\.[\w-]{16,128}\.[\w-]{16,}"),
    "registries": SecretPattern(rf"{WORD_START}(?:npm_\w{{30,}}|pypi-[\w-]{{30,}})"),
    "hosting": SecretPattern(r"dop_v1_\w{32,}|shp(?:at|ss)_\w{20,}"),
    "json web token": SecretPattern(r"eyJ[\w-]{8,512}\.[\w-]{8,}\.[\w-]*"),
    "wallet": SecretPattern(rf"{WORD_START}[xyz]prv[A-Za-z0-9]{{40,}}"),
    "header": SecretPattern(
        r"(?i:bearer|basic)\s{1,64}(?=[A-Za-z.~+/:_-]*\d)[\w.~+/:-]{12,}={0,2}"
    ),
}

PRIVATE_KEY = re.compile(
    r"-----BEGIN[A-Z ]{0,40}PRIVATE KEY[A-Z ]{0,20}-----"
    r"(?:(?!-----)[\s\S]){0,16384}"
    r"(?P<end>-----END[A-Z ]{0,40}PRIVATE KEY[A-Z ]{0,20}-----)?"
)
_JOINED_PRIVATE_KEY = r"-----BEGIN[A-Z]{0,40}PRIVATEKEY"


def register(name: str, pattern: SecretPattern) -> None:
    """Add what a vendor's keys look like; the same name again replaces it."""
    _PATTERNS[name] = pattern
    tokens.cache_clear()
    joined.cache_clear()


@lru_cache
def tokens(flags: int = 0) -> re.Pattern[str]:
    """Return the pattern of every token and key that stands in one piece."""
    return re.compile(
        "|".join(f"(?:{pattern.text})" for pattern in _PATTERNS.values()), flags | re.ASCII
    )


@lru_cache
def joined() -> re.Pattern[str]:
    """Return the pattern of secrets in a text whose spaces were taken out: one that was split."""
    patterns = [pattern.joined for pattern in _PATTERNS.values() if pattern.joined]
    return re.compile("|".join([*patterns, _JOINED_PRIVATE_KEY]))


def contains(text: str) -> bool:
    """Return whether a text holds anything that looks like a token or key."""
    return bool(tokens().search(text) or PRIVATE_KEY.search(text))


def redact(text: str) -> str:
    """Replace anything that looks like a token or key."""
    return tokens().sub("[secret]", PRIVATE_KEY.sub("[secret]", text))
