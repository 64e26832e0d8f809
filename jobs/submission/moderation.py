"""Moderate prompts before anything is held or sent.

There are two classifiers: our own rules (`policy_rules.json`, always applied) and OpenAI's
moderation endpoint (with the setting `PROMPT_POLICY`). Log and telemetry keep the class that a
prompt was denied for, with the trace of the call; nobody sees the prompt.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import structlog
from django.conf import settings

from accounts import telemetry
from imageskill.lib import trace
from imageskill.lib.errors import ApiError, ServiceUnavailable
from jobs.providers import http_calls
from jobs.providers.openai import VENDOR as OPENAI

log = structlog.get_logger(__name__)

MODERATION_MODEL = "omni-moderation-latest"
_RULES_PATH = Path(__file__).with_name("policy_rules.json")


class ContentPolicyDenied(ApiError):
    """The content policy forbids the prompt. `policy_class` is for staff."""

    code = "CONTENT_POLICY_DENIED"
    status = 403
    exit_code = 6
    message = "The prompt asks for something the content policy does not allow."

    policy_class = ""


PromptClassifier = Callable[[str], str | None]
"""Returns the class that a prompt is denied for, or None."""


def check(prompt: str) -> None:
    """Moderate a prompt by our own rules. Raises `ContentPolicyDenied`."""
    _check(prompt, classify_by_rules, name="rules")


def calls_out() -> bool:
    """Return whether prompts go to OpenAI's moderation endpoint too."""
    return bool(settings.PROMPT_POLICY == "openai")


def check_by_endpoint(prompt: str) -> None:
    """Moderate a prompt by the endpoint.

    Raises `ContentPolicyDenied`, or `ServiceUnavailable` where the endpoint does not answer.
    """
    _check(prompt, classify_by_moderation, name="moderation")


def _check(prompt: str, classify: PromptClassifier, *, name: str) -> None:
    denied_class = classify(prompt)
    if not denied_class:
        return
    log.warning("prompt_refused", policy_class=denied_class, judge=name)
    telemetry.record(
        kind="policy",
        name="prompt refused",
        actor_type="system",
        status=denied_class[:32],
        endpoint=name,
        error_code=ContentPolicyDenied.code,
        trace_id=trace.current(),
    )
    denied = ContentPolicyDenied()
    denied.policy_class = denied_class
    raise denied


def classify_by_rules(prompt: str) -> str | None:
    """Return the first class of our rules of which every group has a word in the prompt."""
    words = _normalize(prompt)
    for name, groups in _rules():
        if all(group.search(words) for group in groups):
            return name
    return None


def classify_by_moderation(prompt: str) -> str | None:
    """Return the first category that OpenAI's moderation endpoint flags."""
    try:
        answer = _client().post(
            f"{settings.OPENAI_BASE_URL}/moderations",
            json={"model": MODERATION_MODEL, "input": prompt},
            headers={"Authorization": f"Bearer {OPENAI.key}"},
            timeout=settings.PROMPT_POLICY_TIMEOUT_S,
        )
        answer.raise_for_status()
        result: Any = answer.json()["results"][0]
        flagged = [name for name, is_hit in result["categories"].items() if is_hit]
    except (httpx.HTTPError, ValueError, LookupError, AttributeError, TypeError) as error:
        log.error("moderation_failed", error=type(error).__name__)  # noqa: TRY400 - a traceback may quote the prompt
        raise ServiceUnavailable("Prompts can't be checked right now; nothing was done.") from None
    return flagged[0] if flagged else None


@cache
def _client() -> httpx.Client:
    return http_calls.client()


@cache
def _rules() -> Sequence[tuple[str, list[re.Pattern[str]]]]:
    rows = json.loads(_RULES_PATH.read_text(encoding="utf-8"))["classes"]
    return [(row["class"], [_any_of(group) for group in row["all_of"]]) for row in rows]


def _any_of(terms: list[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, terms))})\b")


def _normalize(prompt: str) -> str:
    """Fold case, width, accents and punctuation, so that unusual spellings still match."""
    folded = unicodedata.normalize("NFKD", prompt).casefold()
    visible = "".join(c for c in folded if unicodedata.category(c) not in {"Mn", "Cf"})
    return re.sub(r"[\W_]+", " ", visible)
