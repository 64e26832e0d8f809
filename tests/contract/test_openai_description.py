"""By hand: every request we send to OpenAI holds against OpenAI's published description.

`make contract-check SPECS=folder`, where the folder holds `openapi.yaml` of openai/openai-openapi
(or has it in a folder `openai`). Prints how much was held against what.
"""

import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from jobs.providers import calls
from jobs.registry import catalog
from jobs.submission import moderation
from tests.jobs.providers.orders import mask, order

pytestmark = pytest.mark.by_hand

SCHEMAS = {
    "/openai/v1/images/generations": "CreateImageRequest",
    "/openai/v1/images/edits": "CreateImageEditRequest",
    "/openai/v1/moderations": "CreateModerationRequest",
}
MODELS = [model.id for model in catalog.load().models if model.provider == "openai"]
UNDESCRIBED = {"CreateImageEditRequest": {"moderation": {"type": "string"}}}
"""Sent all the same: the description has it for edits in JSON and forgets it for forms."""
IN_FORM = {"n": int, "output_compression": int}


@cache
def description() -> dict[str, Any]:
    folder = Path(os.environ.get("SPECS", ""))
    for file in (folder / "openapi.yaml", folder / "openai" / "openapi.yaml"):
        if os.environ.get("SPECS") and file.exists():
            return yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    pytest.skip("SPECS names no folder with OpenAI's openapi.yaml")


def validator(name: str, *, is_strict: bool) -> Draft202012Validator:
    components = description()["components"]
    schema = components["schemas"][name]
    if is_strict:
        known = schema["properties"] | UNDESCRIBED.get(name, {})
        schema = schema | {"properties": known, "additionalProperties": False}
    return Draft202012Validator(schema | {"components": components})


def values(schema: dict[str, Any]) -> Iterator[Any]:
    """Return every value a parameter lists, and the ends of a range."""
    for part in schema.get("anyOf", [schema]):
        yield from part.get("enum", [])
        yield from (part[end] for end in ("minimum", "maximum") if end in part)


def orders(model_id: str) -> Iterator[Any]:
    """Return an order for each value of each thing a caller can ask for."""
    model = catalog.find(model_id)
    for ratio in model.aspect_ratio.values:
        yield order(model_id, aspect_ratio=ratio)
    for kind in ("png", "jpeg", "webp"):
        yield order(model_id, output_format=kind)
    for count in range(1, model.output.max_count + 1):
        yield order(model_id, output_count=count, parameters={"size": "1024x1024"})
    if model.mask:
        yield order(model_id, mask=mask())
    yield order(model_id, prompt="漢字 " * 5000)
    if "pattern" in str(model.parameters["size"]):
        yield order(model_id, parameters={"size": "3840x1280"})
    for name in model.executable_parameters:
        for value in values(model.parameters[name]):
            needs = {"output_format": "webp"} if name == "output_compression" else {}
            yield order(model_id, parameters=needs | {name: value})


def document(request: Any) -> dict[str, Any]:
    """Read a request as the description sees it: files of a form are texts."""
    if not request.headers["content-type"].startswith("multipart/form-data"):
        return request.json
    told: dict[str, Any] = {}
    for part in request.multipart:
        is_file = part.filename is not None
        value = "binary" if is_file else IN_FORM.get(part.name, str)(part.text)
        if part.name.endswith("[]"):
            told.setdefault(part.name[:-2], []).append(value)
        else:
            told[part.name] = value
    return told


class TestOpenAI:
    def test_every_request_holds_against_the_description(self, providers):
        description()
        for model_id in MODELS:
            for asked in orders(model_id):
                for output in calls.submit("openai", asked).outputs:
                    output.file.close()
        held, fields, refused = Counter(), Counter(), []
        for request in providers.requests:
            told = document(request)
            name = SCHEMAS[request.path]
            held[name] += 1
            fields.update(f"{name}.{field}" for field in told)
            refused += [
                f"{name}: {list(error.path)} {error.message[:200]}"
                for error in validator(name, is_strict=True).iter_errors(told)
            ]

        print(f"\nheld against {description()['info']['version']}: {dict(held)}")  # noqa: T201
        print("fields: " + ", ".join(f"{n} x{c}" for n, c in sorted(fields.items())))  # noqa: T201
        assert not refused, "\n".join(sorted(set(refused)))

    def test_moderation_requests_hold_too(self, providers, settings):
        description()
        settings.PROMPT_POLICY = "openai"

        moderation.check_by_endpoint("a tea kettle")

        (request,) = providers.requests
        errors = validator("CreateModerationRequest", is_strict=True).iter_errors(request.json)
        assert not list(errors)

    def test_the_stand_in_answers_as_the_description_says(self, providers):
        description()
        answers = []
        answer = type(providers).answer

        def noted(request):
            told = answer(providers, request)
            answers.append(told.body)
            return told

        providers.answer = noted
        try:
            for model_id in MODELS:
                asked = order(model_id, parameters={"quality": "low"}, aspect_ratio="1:1")
                calls.submit("openai", asked)
        finally:
            del providers.answer

        errors = [
            error.message[:200]
            for body in answers
            for error in validator("ImagesResponse", is_strict=False).iter_errors(body)
        ]
        assert not errors
