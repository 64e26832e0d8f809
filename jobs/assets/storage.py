"""Bytes in storage: files by default, S3 by setting; and the place where outputs are staged.

Keys hold public ids only. Nothing outside this module and the media view knows them.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

import structlog
from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages

from imageskill.lib.errors import ApiError

log = structlog.get_logger(__name__)

_CHUNK = 1 << 20
_RETRY_PAUSE_S = 2.0


class ArtifactStorageWriteFailed(ApiError):
    """The provider succeeded, storing the image didn't; it is retried by itself."""

    code = "ARTIFACT_STORAGE_WRITE_FAILED"
    status = 507
    exit_code = 9
    message = "The image was made but could not be stored yet. Do not create it again."


class StorageError(Exception):
    """The storage failed; the text is the kind of error only."""


@dataclass(frozen=True, kw_only=True)
class FileDigest:
    """The length and SHA-256 of a file."""

    content_length: int
    sha256: str


def measure(file: BinaryIO) -> FileDigest:
    """Measure a file: its length and SHA-256; leaves it at its start."""
    file.seek(0)
    digest, length = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        length += len(chunk)
    file.seek(0)
    return FileDigest(content_length=length, sha256=digest.hexdigest())


def asset_key(public_id: str, extension: str) -> str:
    """Return the key of an asset's bytes; spread over folders by the id's first letters."""
    start = public_id.removeprefix("image_")[:2]
    return f"assets/{start}/{public_id}.{extension}"


def thumbnail_key(public_id: str) -> str:
    """Return the key of an asset's thumbnail."""
    return f"thumbnails/{public_id.removeprefix('image_')[:2]}/{public_id}.webp"


def staging_key(job_id: str, index: int) -> str:
    """Return the key under which a job's output is staged."""
    return f"{job_id}-{index}"


def list_staged() -> dict[str, str]:
    """List the staged outputs: each key with the id of its job."""
    with _translate_errors("list"):
        try:
            _, keys = storages["kept"].listdir("")
        except FileNotFoundError:  # a folder that nothing was ever written to
            keys = []
    return {key: key.rpartition("-")[0] for key in keys}


def write(key: str, file: BinaryIO) -> None:
    """Write an asset's bytes, over what an earlier try may have left; raises `StorageError`."""
    _write(storages["default"], key, file)


def stage(key: str, file: BinaryIO) -> None:
    """Stage an output; raises `StorageError`.

    Tried again for `STAGING_RETRY_S`: the provider was paid, and nobody else has these bytes.
    """
    give_up_at = time.monotonic() + settings.STAGING_RETRY_S
    while True:
        try:
            return _write(storages["kept"], key, file)
        except StorageError:
            if time.monotonic() >= give_up_at:
                raise
            time.sleep(_RETRY_PAUSE_S)


@contextmanager
def open_asset(key: str) -> Iterator[BinaryIO]:
    """Open an asset's bytes; raises `StorageError` where they can't be read."""
    with _open(storages["default"], key) as file:
        yield file


@contextmanager
def open_staged(key: str) -> Iterator[BinaryIO]:
    """Open a staged output; raises `StorageError` where it can't be read."""
    with _open(storages["kept"], key) as file:
        yield file


def delete(*keys: str) -> None:
    """Delete assets' bytes; what is gone already is fine. Raises `StorageError`."""
    _delete(storages["default"], keys)


def discard_staged(*keys: str) -> None:
    """Delete staged outputs. Never raises: what stays is deleted by the nightly task."""
    try:
        _delete(storages["kept"], keys)
    except StorageError as error:
        log.warning("staged_output_not_deleted", error=str(error))


def _write(storage: Storage, key: str, file: BinaryIO) -> None:
    file.seek(0)
    with _translate_errors("write"):
        storage.save(key, File(file, name=key))


@contextmanager
def _open(storage: Storage, key: str) -> Iterator[BinaryIO]:
    with _translate_errors("open"):
        file = storage.open(key, "rb")
    with file:
        yield cast("BinaryIO", file)


def _delete(storage: Storage, keys: tuple[str, ...]) -> None:
    with _translate_errors("delete"):
        for key in keys:
            storage.delete(key)


@contextmanager
def _translate_errors(action: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # each storage backend raises its vendor's own
        log.warning("storage_failed", action=action, error=type(error).__name__)
        raise StorageError(type(error).__name__) from error
