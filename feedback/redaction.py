"""Redaction of what must not leave with a report; what can't be redacted is refused.

Pure: prompts come as arguments. A text is normalized (invisible characters removed), redacted, and
then checked without spaces and decoded: a secret that shows up only there can't be redacted
safely, and the text is unsafe.
"""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import unquote

from billing.purchases import card_data
from imageskill.lib import secrets

_SHINGLE = 8  # consecutive words that a prompt and a report may not share
_SHORTEST_PROMPT_WORDS = 3  # fewer are ordinary language, not a prompt

# A report is public: what only may be a secret goes too, such as the value of a setting named
# `password` and the ids of checkout sessions, which name a payment. Keys that were typed in
# another case are read as well, and the rest of one that a line break cut in two.
_EXTRA_SECRETS = (
    r"cs_(?:live|test)_\w{8,}"
    r"|(?:token|api[_-]?key|secret(?:_access)?(?:_key)?|pass(?:w(?:or)?d|phrase)|pwd|authorization)"
    r"[\"']?\s{0,64}[:=]\s{0,64}[\"']?(?:(?:bearer|basic)\s{1,64})?(?!\[)[^\s\"',;]{6,}"
    r"|(?:passw(?:or)?d|passphrase|pin|secret|token)\s{1,8}is\s{1,8}[\"']?"
    r"(?=[^\s\"',;]{0,64}[\d!@#$%^&*])[^\s\"',;]{4,}"
    r"|\b(?:set-)?cookie:[^\n]{1,4096}"
    # AWS secret keys have no prefix: 40 characters of base64, of all three kinds.
    r"|(?-i:(?<![\w/+=-])(?=[^A-Z]{0,39}[A-Z])(?=[^a-z]{0,39}[a-z])(?=\D{0,39}\d)"
    r"[A-Za-z0-9/+]{40}(?![\w/+=-]))"
)
# People's and machines' data that may not leave with a report.
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,3})?\b")
_PHONE = re.compile(
    r"(?<![\w.+-])(?:\+|00)\d{1,3}(?:[\s./()-]{1,2}\d{1,6}){2,6}(?![\w-])|(?<!\w)\+\d{9,15}\b"
    r"|(?<![\w.+-])(?:\([2-9]\d{2}\)\s?|[2-9]\d{2}[\s.-])\d{3}[\s.-]\d{4}(?![\w-])"  # as in the US
)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_SECOND_LINES = r"(?:[^\S\n]{0,64}\n\s{0,64}(?=[A-Za-z_-]*\d)[\w-]{8,})*"
_DATA_URL = re.compile(
    r"data:[\w.+-]{0,60}/?[\w.+-]{0,60}(?:;[\w=.-]{1,40}){0,4},\S*", re.IGNORECASE
)
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,15}://[^\s<>\"'`\])}]+", re.IGNORECASE)
_MAIL = re.compile(r"[\w.!#$%&'*+/=?^{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/_-]{64,}={0,2})(?:\s+[A-Za-z0-9+/_-]{64,}={0,2})*")
_HEX = re.compile(r"\b[0-9a-fA-F]{48,}\b")
_HOME = re.compile(r"(?:/(?:home|Users)/|[A-Z]:\\Users\\)[^/\\\s\"']{1,64}")
_PROMPT_ARGUMENT = re.compile(
    r"(--prompt(?:=|\s+)|[\"']?\bprompt[\"']?\s*[:=]\s*)"
    r"(\"(?:[^\"\\]|\\.){0,33000}\"|'(?:[^'\\]|\\.){0,33000}'|(?:(?!\s--)[^\n])+)",
    re.IGNORECASE,
)
_PARAMETERS = re.compile(r"[?&;#]")
_SIGNING_NAME = re.compile(
    r"sig|signature|token|key|secret|credential|auth|password|expires|code", re.IGNORECASE
)
_WORD = re.compile(r"[぀-ヿ㐀-鿿가-힯]|[^\W_]+")
_INVISIBLE = {"Cf", "Cc", "Cs", "Co", "Cn"}


class UnsafeText(Exception):
    """The text holds something that can't be redacted; the message names what, never shows it."""


@dataclass(slots=True)
class RedactedText:
    """A text that is safe to publish, and how much of each kind was removed."""

    text: str
    removed: Counter[str] = field(default_factory=Counter)


def redact(text: str, *, prompts: Iterable[str] = ()) -> RedactedText:
    """Remove secrets, addresses, image data, prompts; raise `UnsafeText` where that can't work."""
    done = RedactedText(_prepared(text))
    _cut(done, secrets.PRIVATE_KEY, "private key", _ended_private_key)
    _cut_prompts(done, prompts)
    _cut(done, _PROMPT_ARGUMENT, "prompt", lambda match: f"{match[1]}[prompt removed]")
    _cut(done, _DATA_URL, "data URL")
    _cut(done, _URL, "URL", _bare_url)
    _cut(done, _secrets(secrets.tokens()), "secret")
    _cut(done, _MAIL, "email address")
    _cut(done, _BASE64, "data", _long_data)
    _cut(done, _HEX, "data")
    _cut(done, _HOME, "path")
    _cut_personal_data(done)
    check_hidden_secrets(done.text)
    return done


def redact_at_intake(text: str) -> RedactedText:
    """Return what may be stored of a text: redacted, or a note in place of an unsafe one."""
    try:
        return redact(text)
    except UnsafeText as unsafe:
        return RedactedText(f"[removed: {unsafe}]", Counter({"unsafe text": 1}))


def _cut_personal_data(done: RedactedText) -> None:
    without_cards = card_data.replace_cards(done.text, "[card number removed]")
    done.removed["card number"] += done.text != without_cards
    done.text = without_cards
    _cut(done, _IBAN, "IBAN", _valid_iban)
    _cut(done, _IPV4, "IP address", _foreign_address)
    _cut(done, _IPV6, "IP address", _foreign_address)
    _cut(done, _PHONE, "phone number")


def _valid_iban(match: re.Match[str]) -> str:
    """Keep what only looks like an IBAN: the remainder by 97 is 1 (ISO 13616)."""
    compact = re.sub(r"\s", "", match[0])
    digits = "".join(str(int(char, 36)) for char in compact[4:] + compact[:4])
    return "[IBAN removed]" if int(digits) % 97 == 1 else match[0]


def _foreign_address(match: re.Match[str]) -> str:
    """Keep what is no address, and those that say nothing about anybody."""
    try:
        address = ip_address(match[0])
    except ValueError:
        return match[0]
    keeps = address.is_loopback or address.is_unspecified
    return match[0] if keeps else "[IP address removed]"


@lru_cache
def _secrets(tokens: re.Pattern[str]) -> re.Pattern[str]:
    """Return the pattern of what is cut out as a secret: all tokens, and the rules above."""
    return re.compile(
        f"(?:{tokens.pattern}|{_EXTRA_SECRETS}){_SECOND_LINES}", re.IGNORECASE | re.ASCII
    )


def _ended_private_key(match: re.Match[str]) -> str:
    """Leave a key without its end where it is: how far it reaches can't be known, so refuse it."""
    return "[private key removed]" if match["end"] else match[0]


def _prepared(text: str) -> str:
    """Normalize, and drop invisible characters, which can hide one text inside another."""
    text = unicodedata.normalize("NFKC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(
        char for char in text if char in "\n\t" or unicodedata.category(char) not in _INVISIBLE
    )


def _cut(
    done: RedactedText,
    pattern: re.Pattern[str],
    kind: str,
    replace: Callable[[re.Match[str]], str] | None = None,
) -> None:
    def put(match: re.Match[str]) -> str:
        put_in = replace(match) if replace else f"[{kind} removed]"
        done.removed[kind] += put_in != match[0]
        return put_in

    done.text = pattern.sub(put, done.text)


def _bare_url(match: re.Match[str]) -> str:
    """Keep a plain URL; reduce one with credentials or a signature to its host."""
    url = match[0]
    scheme, _, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    has_credentials = "@" in unquote(authority)
    after = re.split(r"[?#]", rest, maxsplit=1)
    is_signed = len(after) > 1 and _is_signed(unquote(after[1]))
    if not (has_credentials or is_signed):
        return url
    return f"{scheme}://{authority.rpartition('@')[2]}/[URL removed]"


def _is_signed(query: str) -> bool:
    """Return whether a parameter's name says that its value gives access."""
    parameters = (part.partition("=") for part in _PARAMETERS.split(query))
    return any(equals and _SIGNING_NAME.search(name) for name, equals, _ in parameters)


def _long_data(match: re.Match[str]) -> str:
    """Keep what is only a long line of dashes or one repeated letter."""
    return match[0] if len(set(match[0])) < 8 else "[data removed]"


def _cut_prompts(done: RedactedText, prompts: Iterable[str]) -> None:
    words = [(match[0].casefold(), match.start(), match.end()) for match in _words(done.text)]
    plain = [word for word, _, _ in words]
    covered = bytearray(len(words))
    for prompt in prompts:
        prompt_words = [match[0].casefold() for match in _words(_prepared(prompt))]
        size = min(_SHINGLE, len(prompt_words))
        if len(prompt_words) < _SHORTEST_PROMPT_WORDS:
            continue
        known = {tuple(prompt_words[at : at + size]) for at in range(len(prompt_words) - size + 1)}
        for at in range(len(plain) - size + 1):
            if tuple(plain[at : at + size]) in known:
                covered[at : at + size] = b"\1" * size
    spans = list(_runs(covered))
    for first, last in reversed(spans):
        start, end = words[first][1], words[last][2]
        done.text = f"{done.text[:start]}[prompt removed]{done.text[end:]}"
    if spans:
        done.removed["prompt"] += len(spans)


def _words(text: str) -> Iterator[re.Match[str]]:
    return _WORD.finditer(text)


def _runs(covered: bytearray) -> Iterator[tuple[int, int]]:
    """Return first and last index of each unbroken run of covered words."""
    for match in re.finditer(rb"\x01+", covered):
        yield match.start(), match.end() - 1


def check_hidden_secrets(text: str) -> None:
    """Check the text decoded and without spaces; raise `UnsafeText` for a secret found there."""
    decoded = html.unescape(unquote(text))
    for reading in (decoded, re.sub(r"\s+", "", text), re.sub(r"\s+", "", decoded)):
        if secrets.joined().search(reading):
            raise UnsafeText("It seems to hold a secret that is split or encoded.")
    if _MAIL.search(decoded) and not _MAIL.search(text):
        raise UnsafeText("It may contain an encoded email address.")
    if re.search(r"data:image/", re.sub(r"\s+", "", decoded), re.IGNORECASE):
        raise UnsafeText("It may contain split or encoded image data.")
