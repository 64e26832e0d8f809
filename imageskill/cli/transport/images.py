"""Images to upload: opened, measured and streamed without holding one in memory."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple
from urllib.parse import urlsplit

from imageskill.cli.errors import FetchFailed, InputDenied, InvalidCommandLine
from imageskill.cli.grammar.values import is_url
from imageskill.cli.transport import http_client, image_formats

MAX_BYTES = 64 * 1024 * 1024  # the server's own limit is lower; this one guards our disk
_CHUNK = 192 * 1024  # a multiple of three, so that base64 pieces join without padding


class ImageFile(NamedTuple):
    """An open image with the facts that the server needs."""

    file: IO[bytes]
    facts: dict[str, Any]

    def stream(self) -> http_client.StreamedBody:
        """Return the JSON body of an upload: the facts, then the bytes as base64."""
        head = json.dumps(self.facts)[:-1].encode() + b', "bytes_base64": "'
        tail = b'"}'
        size = self.facts["content_length"]
        return http_client.StreamedBody(
            self._pieces(head, tail), len(head) + 4 * ((size + 2) // 3) + len(tail)
        )

    def _pieces(self, head: bytes, tail: bytes) -> Iterator[bytes]:
        yield head
        self.file.seek(0)
        left = self.facts["content_length"]
        while left and (chunk := self.file.read(min(_CHUNK, left))):
            left -= len(chunk)
            yield base64.b64encode(chunk)
        if left:
            raise ConnectionAbortedError("the file became shorter while it was sent")
        yield tail


@contextmanager
def open_image(source: str) -> Iterator[ImageFile]:
    """Open a local path or fetch a URL; raises InvalidCommandLine, InputDenied or FetchFailed."""
    if is_url(source):
        with TemporaryFile() as fetched:
            _fetch(source, fetched)
            yield _measure(fetched, source)
        return
    try:
        file = Path(source).open("rb")  # noqa: SIM115 closed by the block below
    except OSError as error:
        message = f"The image can't be read: {error.strerror or type(error).__name__}."
        raise InvalidCommandLine(message) from None
    with file:
        yield _measure(file, source)


def _fetch(url: str, file: IO[bytes]) -> None:
    download = http_client.open_url(url, problem=FetchFailed)
    try:
        size = 0
        while chunk := download.response.read(_CHUNK):
            size += len(chunk)
            if size > MAX_BYTES:
                raise _too_large()
            file.write(chunk)
    except (OSError, ValueError) as error:
        raise FetchFailed(
            f"The image was not received completely: {http_client.describe_failure(error)}."
        ) from None
    finally:
        download.connection.close()


def _measure(file: IO[bytes], source: str) -> ImageFile:
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    head = file.read(image_formats.HEAD_BYTES)
    file.seek(0)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if size > MAX_BYTES:
            raise _too_large()
    if not size:
        raise InputDenied("The image is empty.")
    mime_type = image_formats.mime_type(head)
    if mime_type is None:
        raise InputDenied("This is not an accepted image: PNG, JPEG, WebP, GIF or AVIF.")
    remote = urlsplit(source) if is_url(source) else None
    path = remote.path if remote else source
    facts = {
        "source_kind": "remote_url" if remote else "local_path",
        "filename": Path(path).name or "image",
        "remote_origin": f"{remote.scheme}://{remote.netloc.rpartition('@')[2]}"
        if remote
        else None,
        "mime_type": mime_type,
        "content_length": size,
        "sha256": digest.hexdigest(),
    }
    return ImageFile(file, facts)


def _too_large() -> InputDenied:
    return InputDenied(f"The image is larger than {MAX_BYTES // 2**20} MiB.")
