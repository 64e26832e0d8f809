"""Answers that carry images as base64: decoded while they arrive, never held as a whole."""

import json
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

from jobs.providers.failures import BROKEN_RUN, ProviderError
from jobs.providers.temp_files import open_spool

MAX_DOCUMENT_BYTES = 4_000_000
"""How long an answer may be apart from its images."""

_FIELD_START = re.compile(rb'"b64_json"\s{0,16}:\s{0,16}"')
_MAX_FIELD_START_BYTES = 48


@dataclass(frozen=True)
class ExtractedResponse:
    """An answer whose `b64_json` values are numbers of `images` now, as texts."""

    document: Any
    images: list[BinaryIO]

    def image(self, entry: Any) -> BinaryIO | None:
        """Return the image of an entry of the answer's list, if it carries one."""
        number = entry.get("b64_json") if isinstance(entry, dict) else None
        return self.images[int(number)] if isinstance(number, str) else None


def extract_images(chunks: Iterable[bytes], *, image_bytes: int) -> ExtractedResponse:
    """Read a JSON answer, its images into spooled files of at most `image_bytes` each.

    Raises `ProviderError` (broken run) for what is no such answer; closes the files it opened then.
    """
    reader = _ResponseParser(image_bytes)
    try:
        for chunk in chunks:
            reader.feed(chunk)
        return ExtractedResponse(reader.document(), reader.images)
    except BaseException:
        for image in reader.images:
            image.close()
        raise


class _ResponseParser:
    def __init__(self, image_bytes: int) -> None:
        self.images: list[BinaryIO] = []
        self._image_bytes = image_bytes
        self._text = bytearray()
        self._waiting = bytearray()  # seen, and not yet known to be text or image
        self._undecoded = bytearray()
        self._is_in_image = False

    def feed(self, chunk: bytes) -> None:
        self._waiting += chunk
        while self._read_image() if self._is_in_image else self._read_text():
            pass

    def document(self) -> Any:
        self._text += self._waiting
        try:
            return json.loads(self._text)
        except ValueError as error:
            raise ProviderError(BROKEN_RUN, reason="answer_not_json") from error

    def _read_text(self) -> bool:
        """Take text up to the next image; return whether there is more to do."""
        begin = _FIELD_START.search(self._waiting)
        taken = begin.end() if begin else max(0, len(self._waiting) - _MAX_FIELD_START_BYTES)
        self._text += self._waiting[:taken]
        del self._waiting[:taken]
        if len(self._text) > MAX_DOCUMENT_BYTES:
            raise ProviderError(BROKEN_RUN, reason="answer_too_long")
        if begin:
            self._text += str(len(self.images)).encode()
            self.images.append(open_spool())
            self._is_in_image = True
        return begin is not None

    def _read_image(self) -> bool:
        """Decode up to the image's end; return whether there is more to do."""
        end = self._waiting.find(b'"')
        taken = end if end >= 0 else len(self._waiting)
        self._undecoded += self._waiting[:taken].replace(b"\\", b"")  # JSON may escape slashes
        del self._waiting[:taken]
        self._decode(len(self._undecoded) - (0 if end >= 0 else len(self._undecoded) % 4))
        if end >= 0:
            self.images[-1].seek(0)
            self._is_in_image = False
        return end >= 0

    def _decode(self, length: int) -> None:
        file = self.images[-1]
        try:
            file.write(b64decode(self._undecoded[:length], validate=True))
        except NotBase64 as error:
            raise ProviderError(BROKEN_RUN, reason="answer_not_base64") from error
        del self._undecoded[:length]
        if file.tell() > self._image_bytes:
            raise ProviderError(BROKEN_RUN, reason="output_too_large")
