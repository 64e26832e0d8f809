"""Check model parameters against their model's schema; what it does not allow is refused."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator

from imageskill.lib.errors import ApiError, Detail
from jobs.registry.entry import Model, ParameterRule

_PROVIDER_NATIVE = re.compile(
    r"elements|images|(\w+_)?image_urls?|mask_url|\w+_reference_task", re.IGNORECASE
)
_URL = re.compile(r"\s*([a-z][a-z0-9+.-]*://|//|data:)", re.IGNORECASE)
_NAME = re.compile(
    r"[A-Za-z0-9_.-]{1,64}"
)  # what an error may repeat: anything else may be a secret


class ModelParameterInvalid(ApiError):
    """A model parameter is unknown, not executable, of the wrong type or out of range."""

    code = "MODEL_PARAMETER_INVALID"
    status = 422
    exit_code = 2
    message = "The model parameters are not valid for this model; details say what is allowed."


def check(model: Model, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters to send: the caller's, except those that are null.

    Raises `ModelParameterInvalid` with every problem and what is allowed instead.
    """
    details = [*_provider_native_fields(given), *_unknown_parameters(model, given)]
    if not details:
        details = [*_invalid_values(model, given)]
    if not details:
        details = [*_rule_violations(model, given)]
    if details:
        raise invalid_parameters(model, details)
    return {
        name: _as_integer(value, model.parameters[name])
        for name, value in given.items()
        if value is not None
    }


def effective_value(model: Model, parameters: Mapping[str, Any], name: str) -> Any:
    """Return the value a parameter will have: the caller's, or the schema's default."""
    return parameters.get(name, model.parameters.get(name, {}).get("default"))


def invalid_parameters(model: Model, details: list[Detail]) -> ModelParameterInvalid:
    """Return the error, with the command that shows the model's parameters."""
    return ModelParameterInvalid(
        details=details,
        recovery={"suggested_command": f"image-skill models show {model.id} --json"},
    )


def describe_allowed(schema: Mapping[str, Any]) -> str:
    """Return in words what a parameter's schema allows."""
    if "anyOf" in schema:
        return ", or ".join(describe_allowed(part) for part in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join("null" if v is None else str(v) for v in schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join(_describe_type(kind, schema) for kind in kinds)


def _describe_type(kind: str, schema: Mapping[str, Any]) -> str:
    match kind:
        case "integer" | "number":
            words = "a whole number" if kind == "integer" else "a number"
            low, high = schema.get("minimum"), schema.get("maximum")
            return words if low is None or high is None else f"{words} from {low} to {high}"
        case "boolean":
            return "true or false"
        case "object":
            return "an object of " + " and ".join(
                f"{name} ({describe_allowed(part)})"
                for name, part in schema.get("properties", {}).items()
            )
        case "string":
            return "a string such as 1024x1024" if "pattern" in schema else "a string"
        case _:
            return kind


def _provider_native_fields(given: Mapping[str, Any]) -> Iterator[Detail]:
    """Yield the provider's own fields, and URLs at any depth."""
    pending: list[tuple[str, Any]] = [(_field(name), value) for name, value in given.items()]
    for name in given:
        if _PROVIDER_NATIVE.fullmatch(name):
            yield Detail(
                field=_field(name),
                message="is a provider-native field; use references, input_asset_id or "
                "mask_asset_id",
            )
    while pending:
        field, value = pending.pop()
        if isinstance(value, Mapping):
            pending.extend((field, part) for part in value.values())
        elif isinstance(value, list):
            pending.extend((field, part) for part in value)
        elif isinstance(value, str) and _URL.match(value):
            yield Detail(field=field, message="must not contain a URL; upload the image instead")


def _unknown_parameters(model: Model, given: Mapping[str, Any]) -> Iterator[Detail]:
    names = ", ".join(model.executable_parameters) or "none"
    for name in given:
        if name not in model.parameters:
            yield Detail(field=_field(name), message=f"is unknown; {model.id} accepts {names}")
        elif not model.parameters[name]["executable"]:
            yield Detail(
                field=_field(name),
                message=f"is cataloged, not executable; {model.id} accepts {names}",
            )


def _invalid_values(model: Model, given: Mapping[str, Any]) -> Iterator[Detail]:
    for name, value in given.items():
        if not _validator(model, name).is_valid(value):
            yield Detail(
                field=_field(name), message=f"must be {describe_allowed(model.parameters[name])}"
            )


def _rule_violations(model: Model, given: Mapping[str, Any]) -> Iterator[Detail]:
    for rule in model.parameter_rules:
        if not _rule_applies(rule, given):
            continue
        for name, values in rule.needs.items():
            if effective_value(model, given, name) not in values:
                at = f" {rule.value}" if rule.value else ""
                yield Detail(
                    field=_field(rule.parameter),
                    message=f"{rule.parameter}{at} needs {name} {' or '.join(values)}",
                )


def _rule_applies(rule: ParameterRule, given: Mapping[str, Any]) -> bool:
    return rule.parameter in given and rule.value in {None, given[rule.parameter]}


@lru_cache(maxsize=1024)
def _validator(model: Model, name: str) -> Draft202012Validator:
    return Draft202012Validator(model.parameters[name])


def _as_integer(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return 7.0 as 7 where the schema wants an integer: JSON Schema accepts both."""
    kinds = schema.get("type", ())
    is_whole = isinstance(value, float) and ("integer" in kinds)
    return int(value) if is_whole else value


def _field(name: str) -> str:
    return f"model_parameters.{name}" if _NAME.fullmatch(name) else "model_parameters"
