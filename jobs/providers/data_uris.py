"""JSON bodies with images in them as data URIs, written while they are sent.

A request may carry forty images of ten megabytes; none is held in memory as a whole.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from jobs.providers import refusals
from jobs.providers.failures import PERMANENT, ProviderError
from jobs.providers.interface import InputImage

CHUNK_BYTES = 3 * 64 * 1024  # a multiple of three, so that base64 has no seams
_PLACEHOLDER = "\ue000image:"  # begins with a character of private use, taken out of all text


@dataclass(frozen=True)
class JsonBody:
    """A JSON document whose images are opened when their turn comes; can be sent again."""

    parts: tuple[bytes | InputImage, ...]

    @property
    def content_length(self) -> int:
        """The exact length in bytes, known before an image is opened."""
        return sum(
            len(part) if isinstance(part, bytes) else _encoded_length(part) for part in self.parts
        )

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield _uri_prefix(part)
                yield from _encode(part)


def json_body(document: dict[str, Any]) -> JsonBody:
    """Serialize a document; images anywhere in it become data URIs."""
    images: list[InputImage] = []

    def mark(value: Any) -> str:
        if not isinstance(value, InputImage):
            raise TypeError(f"{type(value).__name__} can't be sent")
        images.append(value)
        return _PLACEHOLDER

    text = json.dumps(_strip_placeholder(document), default=mark, ensure_ascii=False)
    around = [piece.encode() for piece in text.split(_PLACEHOLDER)]
    parts: list[bytes | InputImage] = [around[0]]
    for image, piece in zip(images, around[1:], strict=True):
        parts += [image, piece]
    return JsonBody(tuple(parts))


def _strip_placeholder(value: Any) -> Any:
    """Remove our placeholder from the caller's text."""
    if isinstance(value, str):
        return value.replace(_PLACEHOLDER[0], "")
    if isinstance(value, dict):
        return {name: _strip_placeholder(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_strip_placeholder(one) for one in value]
    return value


def _uri_prefix(image: InputImage) -> bytes:
    return f"data:{image.mime_type};base64,".encode()


def _encoded_length(image: InputImage) -> int:
    return len(_uri_prefix(image)) + 4 * -(-image.content_length // 3)


def _encode(image: InputImage) -> Iterator[bytes]:
    with ExitStack() as opened:
        file = image.open_in(opened)
        rest, left = b"", image.content_length
        while chunk := file.read(CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                break
            whole = rest + chunk
            even = len(whole) - len(whole) % 3
            rest = whole[even:]
            yield b64encode(whole[:even])
        if left:
            raise ProviderError(PERMANENT, reason="input_changed", refusal=refusals.IMAGE)
        yield b64encode(rest)
