"""A tool's result made from an envelope: its text, links to images, and small images."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

from mcp_types import CallToolResult, ImageContent, ResourceLink, TextContent

Fetch = Callable[[str], bytes | None]  # the bytes behind an asset's URL, None where they fail

MAX_INLINE_BYTES = 1_000_000
MAX_INLINE_IMAGES = 4
MAX_LINKS = 20
INLINE_TYPES = {"image/png", "image/jpeg", "image/webp", "image/gif"}


def build_result(envelope: dict[str, Any], fetch: Fetch, *, is_showing: bool) -> CallToolResult:
    """Make the result; `is_showing` puts small images into it."""
    images = list(_find_images(envelope.get("data")))[:MAX_LINKS]
    content: list[Any] = [
        TextContent(type="text", text=json.dumps(envelope, ensure_ascii=False)),
        *(_link(image) for image in images),
    ]
    if is_showing:
        small = [image for image in images if _is_small(image)][:MAX_INLINE_IMAGES]
        content += [inlined for image in small if (inlined := _inline(image, fetch))]
    return CallToolResult(
        content=content, structured_content=envelope, is_error=envelope.get("ok") is not True
    )


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


def _is_small(image: dict[str, Any]) -> bool:
    size = image.get("content_length")
    return image.get("mime_type") in INLINE_TYPES and 0 < (size or 0) <= MAX_INLINE_BYTES


def _inline(image: dict[str, Any], fetch: Fetch) -> ImageContent | None:
    data = fetch(image["url"])
    if data is None:
        return None
    return ImageContent(
        type="image", data=base64.b64encode(data).decode(), mime_type=image["mime_type"]
    )
