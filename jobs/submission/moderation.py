"""What may be asked for: prompts are judged before anything is held or sent.

Behind one port stand two judges: a list of rules of our own (`policy_rules.json`, always asked)
and OpenAI's moderation endpoint (by the setting `PROMPT_POLICY`). Staff see the class a prompt
was refused for, in log and telemetry beside the call's trace; nobody sees the prompt.
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
from jobs.providers import credentials, http_calls

log = structlog.get_logger(__name__)

MODERATION_MODEL = "omni-moderation-latest"
_RULES_PATH = Path(__file__).with_name("policy_rules.json")


class ContentPolicyDenied(ApiError):
    """The prompt asks for what is not made here. `policy_class` is for staff."""

    code = "CONTENT_POLICY_DENIED"
    status = 403
    exit_code = 6
    message = "The prompt asks for something the content policy does not allow."

    policy_class = ""


PromptClassifier = Callable[[str], str | None]
"""The port: names the class that a prompt is refused for, or None."""


def check(prompt: str, *, may_call_out: bool) -> None:
    """Judge a prompt; a dry run calls nobody.

    Raises `ContentPolicyDenied`; `ServiceUnavailable` where a judge who must be heard can't be.
    """
    judges: dict[str, PromptClassifier] = {"rules": classify_by_rules}
    if may_call_out and settings.PROMPT_POLICY == "openai":
        judges["moderation"] = classify_by_moderation
    for name, judge in judges.items():
        refused_for = judge(prompt)
        if refused_for:
            log.warning("prompt_refused", policy_class=refused_for, judge=name)
            telemetry.record(
                kind="policy",
                name="prompt refused",
                actor_type="system",
                status=refused_for[:32],
                endpoint=name,
                error_code=ContentPolicyDenied.code,
                trace_id=trace.current(),
            )
            denied = ContentPolicyDenied()
            denied.policy_class = refused_for
            raise denied


def classify_by_rules(prompt: str) -> str | None:
    """Judge by our own list: a class is hit when each of its groups has a word in the prompt."""
    words = _normalize(prompt)
    for name, groups in _rules():
        if all(group.search(words) for group in groups):
            return name
    return None


def classify_by_moderation(prompt: str) -> str | None:
    """Judge by OpenAI's moderation endpoint; names the first category it flags."""
    try:
        answer = _client().post(
            f"{settings.OPENAI_BASE_URL}/moderations",
            json={"model": MODERATION_MODEL, "input": prompt},
            headers={"Authorization": f"Bearer {credentials.get_key('openai')}"},
            timeout=settings.PROMPT_POLICY_TIMEOUT_S,
        )
        answer.raise_for_status()
        result: Any = answer.json()["results"][0]
        flagged = [name for name, is_hit in result["categories"].items() if is_hit]
    except (httpx.HTTPError, ValueError, LookupError, AttributeError, TypeError) as error:
        log.error("moderation_failed", error=type(error).__name__)  # noqa: TRY400 - may quote it
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
    """Fold case, width, accents and punctuation, so that spelling games gain little."""
    folded = unicodedata.normalize("NFKD", prompt).casefold()
    visible = "".join(c for c in folded if unicodedata.category(c) not in {"Mn", "Cf"})
    return re.sub(r"[\W_]+", " ", visible)
