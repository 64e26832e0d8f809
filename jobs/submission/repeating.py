"""The command that repeats a create or edit.

Nothing that we answer holds a prompt, so a placeholder stands where the caller puts theirs back;
every other term of the request is there.
"""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

from imageskill.lib import ids
from imageskill.lib.errors import ApiError, Recovery
from imageskill.lib.exact_json import ExactEncoder
from jobs.planning.request import GenerationRequest, Reference

_PROMPT = "PROMPT"
_TEXT = "TEXT"
_TERM = re.compile(r"[A-Za-z0-9._:/#-]{1,32}")  # a choice of a model, such as `high` or `16:9`


def new_key() -> str:
    """Return an idempotency key for a call that brought none, so that it can be repeated."""
    return f"auto-{ids.random_text(16)}"


def add_recovery(error: ApiError, request: GenerationRequest, *, key: str) -> None:
    """Add to a retryable error the key and the command to repeat the call with."""
    if error.retryable:
        error.recovery = Recovery(
            idempotency_key=key, suggested_command=command(request, key=key)
        ) | (error.recovery or Recovery())


def command(request: GenerationRequest, *, key: str) -> str:
    """Return the command line of a request, as a shell takes it."""
    words = ["image-skill", request.operation]
    for name, value in _flags(request, key):
        if value is True:
            words.append(f"--{name}")
        elif value not in (None, False, ""):
            text = str(value)
            words += [f"--{name}={text}"] if text.startswith("-") else [f"--{name}", text]
    return shlex.join([*words, "--json"])


def _flags(request: GenerationRequest, key: str) -> Iterator[tuple[str, Any]]:
    yield "input", request.input_asset_id
    yield "mask", request.mask_asset_id
    yield "prompt", request.prompt and _PROMPT
    yield "model", request.model
    yield "provider", request.provider
    yield "intent", request.intent
    yield "modality", request.modality
    yield "aspect-ratio", request.aspect_ratio
    yield "output-count", request.output_count if request.output_count > 1 else None
    yield "model-parameters-json", _as_json(_without_texts(dict(request.model_parameters)))
    yield "output-json", _as_json(vars(request.output))
    for reference in request.references:
        yield reference.role.replace("_", "-"), _reference(reference)
    yield "max-estimated-usd-per-image", request.max_estimated_usd_per_image
    yield "max-usd", request.max_usd
    yield "accept-unknown-cost", request.accept_unknown_cost
    yield "idempotency-key", key


def _as_json(document: dict[str, Any]) -> str | None:
    given = {name: value for name, value in document.items() if value is not None}
    return json.dumps(given, cls=ExactEncoder, ensure_ascii=False) if given else None


def _without_texts(value: Any, name: str = "") -> Any:
    """Return parameters with a placeholder for each free text: it may be a prompt too."""
    if isinstance(value, dict):
        return {key: _without_texts(part, key) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_texts(part, name) for part in value]
    if isinstance(value, str) and ("prompt" in name or not _TERM.fullmatch(value)):
        return _TEXT
    return value


def _reference(reference: Reference) -> str:
    detail = reference.reference_index
    rest = reference.reference_task if detail is None else detail
    return f"{reference.asset_id}@{reference.index}" + ("" if rest is None else f":{rest}")
