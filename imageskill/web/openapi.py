"""The OpenAPI description of answers as they are sent: wrapped into the envelope."""

from typing import Any

from imageskill.lib.envelope import EXIT_CODE_HEADER, TRACE_HEADER

Schema = dict[str, Any]

_ACTOR: Schema = {
    "type": ["object", "null"],
    "required": ["actor_type", "actor_id", "organization_id", "claim_state"],
    "properties": {
        "actor_type": {"enum": ["agent", "human", "session", "system"]},
        "actor_id": {"type": "string"},
        "organization_id": {"type": ["string", "null"]},
        "claim_state": {"type": ["string", "null"]},
    },
}

_ERROR: Schema = {
    "type": "object",
    "required": ["code", "message", "retryable"],
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "retryable": {"type": "boolean"},
        "recovery": {
            "type": "object",
            "properties": {
                "required_flag": {"type": "string"},
                "required_flags": {"type": "array", "items": {"type": "string"}},
                "suggested_command": {"type": "string"},
                "docs_url": {"type": "string"},
                "retry_after_seconds": {"type": "integer"},
                "idempotency_key": {"type": "string"},
                "top_up": {"type": "object"},
            },
        },
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}

_HEADERS: Schema = {
    EXIT_CODE_HEADER: {
        "description": "The exit code of the command line for this answer.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 9},
    },
    TRACE_HEADER: {"schema": {"type": "string", "pattern": "^trace_[0-9a-f]{32}$"}},
}


def with_envelopes(document: Schema) -> Schema:
    """Wrap each success into the envelope and give every operation the error answer.

    Changes the document in place and returns it.
    """
    document.setdefault("components", {}).setdefault("schemas", {})["FailureEnvelope"] = _envelope(
        ok=False, data={"type": "null"}, error=_ERROR
    )
    for operations in document["paths"].values():
        for operation in operations.values():
            _wrap(operation["responses"])
    return document


def _wrap(responses: Schema) -> None:
    for answer in responses.values():
        answer["headers"] = _HEADERS
        data = answer.get("content", {}).get("application/json", {}).get("schema", {})
        answer["content"] = {
            "application/json": {"schema": _envelope(ok=True, data=data, error={"type": "null"})}
        }
    responses["default"] = {
        "description": "An error: its class decides status, exit code and retryability.",
        "headers": _HEADERS,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/FailureEnvelope"}}
        },
    }


def _envelope(*, ok: bool, data: Schema, error: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["ok", "command", "trace_id", "actor", "data", "warnings", "error"],
        "properties": {
            "ok": {"const": ok},
            "command": {"type": "string"},
            "trace_id": {"type": "string", "pattern": "^trace_[0-9a-f]{32}$"},
            "actor": _ACTOR,
            "data": data,
            "warnings": {"type": "array", "items": {"type": "string"}},
            "error": error,
        },
    }
