"""A tool's result made from an envelope, within a size that every client takes.

The structured content is the envelope; the text says the same in a few lines, for clients that
show a model nothing else. Images come as links to the originals, with previews of the first ones.
"""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

from mcp_types import CallToolResult, ImageContent, ResourceLink, TextContent

from imageskill.web.mcp import text

Fetch = Callable[[str], bytes | None]  # the bytes behind an asset's URL, None where they fail

# Parts of 100 KB in all, which no client cuts; beside previews an answer has room for less.
MAX_STRUCTURED_BYTES = 85_000
MAX_STRUCTURED_BYTES_BESIDE_PREVIEWS = 25_000
MAX_PREVIEW_CHARACTERS = 60_000  # of base64, for all images together
MAX_LINKS = 20
MAX_INLINE_BYTES = MAX_PREVIEW_CHARACTERS // 4 * 3
INLINE_TYPES = {"image/png", "image/jpeg", "image/webp", "image/gif"}

OUTPUT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "ok": {"type": "boolean", "description": "Whether it was done."},
        "command": {"type": "string"},
        "trace_id": {"type": "string", "description": "Quote it when you report a problem."},
        "actor": {"type": "object", "description": "Who called."},
        "data": {"type": "object", "description": "The answer; missing after an error."},
        "warnings": {"type": "array", "items": {"type": "string"}},
        "error": {
            "type": "object",
            "description": "Missing after a success.",
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "retryable": {"type": "boolean"},
                "recovery": {
                    "type": "object",
                    "properties": {
                        "tool": {"type": "string", "description": "The tool to call next."},
                        "arguments": {"type": "object"},
                        "idempotency_key": {"type": "string"},
                        "retry_after_seconds": {"type": "number"},
                    },
                },
            },
            "required": ["code", "message", "retryable"],
        },
        "truncated": {"type": "object", "description": "A list that was cut, and its length."},
    },
    "required": ["ok", "warnings"],
}


def build_result(envelope: dict[str, Any], fetch: Fetch, *, is_showing: bool) -> CallToolResult:
    """Make the result; `is_showing` puts previews of images into it."""
    structured = _within_budget(
        {name: value for name, value in envelope.items() if value is not None},
        MAX_STRUCTURED_BYTES_BESIDE_PREVIEWS if is_showing else MAX_STRUCTURED_BYTES,
    )
    images = list(_find_images(structured.get("data")))[:MAX_LINKS]
    content: list[Any] = [TextContent(type="text", text=text.summarize(structured))]
    if is_showing:
        content += _previews(images, fetch)
    content += [_link(image) for image in images]
    return CallToolResult(
        content=content, structured_content=structured, is_error=envelope.get("ok") is not True
    )


def size(document: Any) -> int:
    """Return the bytes of a document as JSON."""
    return len(json.dumps(document, ensure_ascii=False).encode())


def _within_budget(envelope: dict[str, Any], limit: int) -> dict[str, Any]:
    """Cut the longest list of an answer that is too large, and say so."""
    data = envelope.get("data")
    if size(envelope) <= limit or not isinstance(data, dict):
        return envelope
    lists = {name: value for name, value in data.items() if isinstance(value, list) and value}
    if not lists:
        return envelope
    name = max(lists, key=lambda key: size(lists[key]))
    rows = lists[name]
    shown = len(rows)
    while shown and size(envelope | {"data": data | {name: rows[:shown]}}) > limit:
        shown //= 2
    advice = "Call it again with a smaller limit."
    cut = {"list": name, "shown": shown, "total": len(rows), "advice": advice}
    return envelope | {"data": data | {name: rows[:shown]}, "truncated": cut}


def _find_images(data: Any) -> Iterator[dict[str, Any]]:
    """Find each asset once, wherever an answer carries them."""
    if not isinstance(data, dict):
        return
    job = data.get("job")
    places = [data.get("assets"), job.get("assets") if isinstance(job, dict) else None]
    found = [*(one for place in places for one in place or []), data.get("asset")]
    seen: set[str] = set()
    for one in found:
        if isinstance(one, dict) and one.get("url") and one["asset_id"] not in seen:
            seen.add(one["asset_id"])
            yield one


def _link(image: dict[str, Any]) -> ResourceLink:
    return ResourceLink(
        type="resource_link",
        name=image["asset_id"],
        uri=image["url"],
        mime_type=image.get("mime_type"),
        size=image.get("content_length"),
    )


def _previews(images: list[dict[str, Any]], fetch: Fetch) -> Iterator[ImageContent]:
    """Return previews as long as there is room: the thumbnail, or a small image itself."""
    left = MAX_PREVIEW_CHARACTERS
    for image in images:
        preview = _preview(image, fetch)
        if preview is None or len(preview.data) > left:
            continue
        left -= len(preview.data)
        yield preview


def _preview(image: dict[str, Any], fetch: Fetch) -> ImageContent | None:
    url, mime_type = image["url"], str(image.get("mime_type"))
    if not (mime_type in INLINE_TYPES and 0 < image.get("content_length", 0) <= MAX_INLINE_BYTES):
        url, mime_type = _thumbnail_url(image), "image/webp"
    data = fetch(url)
    if not data:
        return None
    return ImageContent(type="image", data=base64.b64encode(data).decode(), mime_type=mime_type)


def _thumbnail_url(image: dict[str, Any]) -> str:
    start, _, _ = str(image["url"]).rpartition("/a/")
    return f"{start}/t/{image['asset_id']}.webp"
