"""Lists of models and capabilities as a menu that a model can read: short rows, in pages."""

from collections.abc import Mapping
from typing import Any

JsonObject = Mapping[str, Any]

LISTS = {"models_list": "models", "capabilities_list": "capabilities"}
DEFAULT_LIMIT = 20
MAX_LIMIT = 50
PAGING: dict[str, dict[str, Any]] = {
    "limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_LIMIT,
        "default": DEFAULT_LIMIT,
        "description": "How many rows to return.",
    },
    "cursor": {"type": "string", "description": "next_cursor of the page before."},
}


class InvalidPage(Exception):
    """The page that was asked for can't be: the limit or the cursor is not one."""


def without_page(name: str, arguments: JsonObject) -> JsonObject:
    """Return the arguments that the command itself takes; a bad page is refused."""
    if name not in LISTS:
        return arguments
    _bounds(arguments)
    return {key: value for key, value in arguments.items() if key not in PAGING}


def page(name: str, envelope: dict[str, Any], arguments: JsonObject) -> dict[str, Any]:
    """Return the answer of a list with one page of short rows; any other answer as it is."""
    data = envelope.get("data")
    if name not in LISTS or not envelope.get("ok") or not isinstance(data, dict):
        return envelope
    start, limit = _bounds(arguments)
    rows = sorted(data[LISTS[name]], key=lambda row: row["status"] != "available")
    shown = rows[start : start + limit]
    end = start + len(shown)
    menu = {
        LISTS[name]: [_row(row) for row in shown],
        "total": len(rows),
        "next_cursor": str(end) if end < len(rows) else None,
    }
    summary = data.get("summary") or {}
    if summary.get("defaults"):
        menu["defaults"] = summary["defaults"]
    if summary.get("left_out"):
        count = summary["left_out"]["count"]
        menu["left_out"] = {"count": count, "how_to_list": "models_list with catalog_only true"}
    return envelope | {"data": menu}


def _bounds(arguments: JsonObject) -> tuple[int, int]:
    limit, cursor = arguments.get("limit", DEFAULT_LIMIT), arguments.get("cursor") or "0"
    if type(limit) is not int or not 1 <= limit <= MAX_LIMIT:
        raise InvalidPage(f"limit must be an integer from 1 to {MAX_LIMIT}.")
    if not (isinstance(cursor, str) and cursor.isdecimal() and len(cursor) < 6):
        raise InvalidPage("cursor must be next_cursor of the page before.")
    return int(cursor), limit


def _row(row: JsonObject) -> dict[str, Any]:
    is_available = row["status"] == "available"
    short = {
        "id": row["id"],
        "name": row["display_name"],
        "makes": row.get("supports") or row["operations"],
        "credits": _credits(row),
        "available": is_available,
    }
    if row.get("default"):
        short["default"] = True
    if not is_available and row.get("availability_reason"):
        short["reason"] = row["availability_reason"]
    if "default_model" in row:
        short["model"] = row["default_model"]
    return short


def _credits(row: JsonObject) -> Any:
    pricing = (row.get("economics") or {}).get("credit_pricing") or {}
    return row.get("credits_required", pricing.get("credits_required"))
