"""By hand: what we send to Stripe and read of it holds against Stripe's published description.

`make contract-check SPECS=folder`, where the folder holds `openapi/spec3.json` of stripe/openapi
(or has it as `stripe/spec3.json`). Prints how much was held against what. A description of
another API version than the pinned one knows other fields: those are listed, and fail.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.contract.stripe_journey import journey, shop

__all__ = ["journey", "shop"]
pytestmark = pytest.mark.by_hand

PLACES = ("openapi/spec3.json", "stripe/openapi/spec3.json", "stripe/spec3.json", "spec3.json")
PYTHON_TYPES = {"integer": int, "string": str, "boolean": bool, "object": dict, "array": list}


@cache
def description() -> dict[str, Any]:
    folder = os.environ.get("SPECS", "")
    for place in PLACES:
        file = Path(folder) / place
        if folder and file.exists():
            return dict(json.loads(file.read_text(encoding="utf-8")))
    pytest.skip("SPECS names no folder with Stripe's spec3.json")


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = description()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def branches(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Take references and alternatives apart."""
    schema = resolved(schema)
    if "anyOf" not in schema:
        return [schema]
    return [part for one in schema["anyOf"] for part in branches(one)]


def misfits(value: Any, schema: dict[str, Any], path: str, *, is_form: bool) -> list[str]:
    """Return what in a value the schema does not know; in a form every leaf is text."""
    found = [_misfits(value, one, path, is_form=is_form) for one in branches(schema)]
    if value is None and (resolved(schema).get("nullable") or not is_form):
        return []
    return min(found, key=len)


def _misfits(value: Any, schema: dict[str, Any], path: str, *, is_form: bool) -> list[str]:
    kind = schema.get("type")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        free = schema.get("additionalProperties")
        if kind != "object" or (not known and not free):
            return [] if not known and kind == "object" and not is_form else [f"{path}: {kind}"]
        return [
            one
            for name, child in value.items()
            for one in (
                misfits(child, known[name], f"{path}.{name}", is_form=is_form)
                if name in known
                else ([] if free else [f"{path}.{name} is unknown"])
            )
        ]
    if isinstance(value, list):
        if kind != "array":
            return [f"{path}: {kind}"]
        items = schema["items"]
        return [one for child in value for one in misfits(child, items, path, is_form=is_form)]
    return _leaf_misfits(value, schema, path, is_form=is_form)


def _leaf_misfits(value: Any, schema: dict[str, Any], path: str, *, is_form: bool) -> list[str]:
    kind = schema.get("type")
    if is_form and kind == "integer":
        value = int(value) if str(value).lstrip("-").isdigit() else value
    if is_form and kind == "boolean":
        value = {"true": True, "false": False}.get(value, value)
    if kind and kind != "number" and not isinstance(value, PYTHON_TYPES[kind]):
        return [f"{path} is {type(value).__name__}, not {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path}={value} is unknown"]
    return []


def leaves(tree: Any) -> int:
    children = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return 1 if children is None else sum(leaves(child) for child in children)


def operation(call: Any) -> dict[str, Any]:
    """Find the operation of a call; the description names the ids in paths in its own ways."""
    for path, item in description()["paths"].items():
        parts, ours = path.split("/"), call.path.split("/")
        same = len(parts) == len(ours) and all(
            theirs == mine or (theirs.startswith("{") and mine == "{id}")
            for theirs, mine in zip(parts, ours, strict=True)
        )
        if same and call.method.lower() in item:
            return dict(item[call.method.lower()])
    raise AssertionError(f"{call.method} {call.path} is unknown")


def parameters_of(found: dict[str, Any], method: str) -> dict[str, Any]:
    if method == "GET":
        known = [one for one in found["parameters"] if one["in"] == "query"]
        return {"type": "object", "properties": {one["name"]: one["schema"] for one in known}}
    [content] = found["requestBody"]["content"].values()
    return dict(content["schema"])


def test_requests(journey, capsys):
    wrong, held = [], 0
    for call in journey.calls:
        schema = parameters_of(operation(call), call.method)
        missing = set(schema.get("required", ())) - set(call.parameters)
        wrong += [f"{call.path} lacks {name}" for name in sorted(missing)]
        wrong += misfits(call.parameters, schema, call.path, is_form=True)
        held += leaves(call.parameters)
    _report(capsys, f"{len(journey.calls)} calls with {held} parameters", wrong)
    assert sorted(set(wrong)) == []


def test_objects(journey, capsys):
    schemas = {
        one.get("x-resourceId"): one for one in description()["components"]["schemas"].values()
    }
    wrong, held = [], 0
    for kind, objects in journey.objects.items():
        for one in objects:
            wrong += misfits(one, schemas[kind], kind, is_form=False)
            held += leaves(one)
    number = sum(map(len, journey.objects.values()))
    _report(capsys, f"{number} objects of {len(journey.objects)} kinds with {held} fields", wrong)
    assert sorted(set(wrong)) == []


def _report(capsys, what: str, wrong: list[str]) -> None:
    version = description()["info"]["version"]
    with capsys.disabled():
        print(f"\nStripe {version}: {what} held against it, {len(set(wrong))} misfits")  # noqa: T201
