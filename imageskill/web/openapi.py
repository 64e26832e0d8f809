"""The OpenAPI description of the API as it is: envelopes, errors, one way to authenticate."""

from collections.abc import Callable, Iterator
from typing import Any

from imageskill.cli.grammar import table
from imageskill.lib.envelope import EXIT_CODE_HEADER, TRACE_HEADER

Schema = dict[str, Any]

ENVELOPE = "Envelope"
_BEARER = "Bearer"
_NULL: Schema = {"type": "null"}

_ACTOR: Schema = {
    "type": "object",
    "title": "Actor",
    "description": "Who called.",
    "required": ["actor_type", "actor_id", "organization_id", "claim_state"],
    "properties": {
        "actor_type": {"type": "string", "enum": ["agent", "human", "session", "system"]},
        "actor_id": {"type": "string"},
        "organization_id": {"type": ["string", "null"]},
        "claim_state": {"type": ["string", "null"]},
    },
}

_RECOVERY: Schema = {
    "type": "object",
    "title": "Recovery",
    "description": "What the caller can do next.",
    "properties": {
        "required_flag": {"type": "string"},
        "required_flags": {"type": "array", "items": {"type": "string"}},
        "suggested_command": {"type": "string", "description": "Ready to run."},
        "docs_url": {"type": "string"},
        "retry_after_seconds": {"type": "integer", "minimum": 0},
        "idempotency_key": {"type": "string"},
        "top_up": {"type": "object", "additionalProperties": True},
    },
}

_ERROR: Schema = {
    "type": "object",
    "title": "Error",
    "description": "Why a call failed; follow recovery, not the message.",
    "required": ["code", "message", "retryable"],
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "retryable": {"type": "boolean"},
        "recovery": {"$ref": "#/components/schemas/Recovery"},
        "details": {"type": "array", "items": {"$ref": "#/components/schemas/ErrorDetail"}},
    },
}

_DETAIL: Schema = {
    "type": "object",
    "title": "ErrorDetail",
    "description": "One thing wrong with the input.",
    "required": ["field", "message"],
    "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
}

_HEADERS: Schema = {
    EXIT_CODE_HEADER: {
        "description": "The exit code of the command line for this answer.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 9},
    },
    TRACE_HEADER: {"schema": {"type": "string", "pattern": "^trace_[0-9a-f]{32}$"}},
}


def complete(
    document: Schema, *, is_token_optional: Callable[[str, str], bool], server_url: str
) -> Schema:
    """Describe what ninja can't know. Changes the document in place and returns it.

    `is_token_optional` tells of a method and path whether a call may come without a token.
    """
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas |= {
        "Actor": _ACTOR,
        "Recovery": _RECOVERY,
        "Error": _ERROR,
        "ErrorDetail": _DETAIL,
        "FailureEnvelope": _envelope("FailureEnvelope", ok=False, data=_NULL),
    }
    document["servers"] = [{"url": server_url}]
    document["components"]["securitySchemes"] = {
        _BEARER: {
            "type": "http",
            "scheme": "bearer",
            "description": "The token that a signup returned, isk_r_….",
        }
    }
    for method, path, operation in _operations(document):
        _wrap(operation, schemas)
        if operation.get("security"):
            token: list[Schema] = [{_BEARER: []}]
            operation["security"] = [{}, *token] if is_token_optional(method, path) else token
        _describe_fields(operation, schemas, _flags(method, path))
    return document


def _operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def _wrap(operation: Schema, schemas: Schema) -> None:
    """Wrap each success into an envelope with a name, and add the errors."""
    responses = operation["responses"]
    for answer in responses.values():
        data = answer.get("content", {}).get("application/json", {}).get("schema", {})
        answer["headers"] = _HEADERS
        answer["content"] = _json(_named_envelope(data, operation["operationId"], schemas))
    for code, words in (
        ("4XX", "A refusal: error.code and error.recovery say what to do."),
        ("5XX", "A failure of the service or a provider: error.retryable says whether to repeat."),
    ):
        responses[code] = {
            "description": words,
            "headers": _HEADERS,
            "content": _json({"$ref": "#/components/schemas/FailureEnvelope"}),
        }


def _named_envelope(data: Schema, operation_id: str, schemas: Schema) -> Schema:
    kind = data.get("$ref", "").rpartition("/")[2] or operation_id.title().replace("_", "")
    name = f"{kind.removesuffix('Out')}{ENVELOPE}"
    schemas[name] = _envelope(name, ok=True, data=data)
    return {"$ref": f"#/components/schemas/{name}"}


def _envelope(title: str, *, ok: bool, data: Schema) -> Schema:
    actor = {"anyOf": [{"$ref": "#/components/schemas/Actor"}, _NULL]}
    return {
        "type": "object",
        "title": title,
        "required": ["ok", "command", "trace_id", "actor", "data", "warnings", "error"],
        "properties": {
            "ok": {"type": "boolean", "const": ok},
            "command": {"type": "string", "examples": ["image-skill whoami"]},
            "trace_id": {"type": "string", "pattern": "^trace_[0-9a-f]{32}$"},
            "actor": actor,
            "data": data,
            "warnings": {"type": "array", "items": {"type": "string"}},
            "error": _NULL if ok else {"$ref": "#/components/schemas/Error"},
        },
    }


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _flags(method: str, path: str) -> dict[str, str]:
    """Return the help of each field of a request, from the command that makes it."""
    return {
        flag.field: flag.help
        for command in reversed(table.COMMANDS)
        if command.endpoint and tuple(command.endpoint) == (method, path)
        for flag in reversed(command.flags)
        if flag.field and not flag.sent_as
    }


def _describe_fields(operation: Schema, schemas: Schema, meanings: dict[str, str]) -> None:
    """Describe the parameters and fields that say nothing of themselves."""
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in meanings:
            parameter.setdefault("description", meanings[parameter["name"]])
    content = operation.get("requestBody", {}).get("content", {})
    body = content.get("application/json", {}).get("schema", {})
    name = body.get("$ref", "").rpartition("/")[2]
    for field, schema in schemas.get(name, body).get("properties", {}).items():
        if field in meanings:
            schema.setdefault("description", meanings[field])
