"""Saving images of ours to files: length and hash are checked before a file appears."""

import hashlib
from pathlib import Path
from typing import Any, BinaryIO

from imageskill.cli import files
from imageskill.cli.errors import DownloadFailed, OutputExists, OutputWriteFailed
from imageskill.cli.transport import http_client

_CHUNK = 256 * 1024


def save(asset: dict[str, Any], path: Path, *, is_overwriting: bool) -> dict[str, Any]:
    """Download an asset to a file and return what was saved.

    Raises DownloadFailed, OutputExists or OutputWriteFailed; no part of the file stays then.
    """
    download = _Download(asset)
    try:
        files.write_new(path, download.fill, is_overwriting=is_overwriting)
    except FileExistsError:
        raise _output_exists(path) from None
    except OSError as error:
        raise _write_failed(error) from None
    return {
        "output_path": str(path),
        "bytes": download.size,
        "sha256": download.digest.hexdigest(),
        "content_type": download.content_type,
        "content_length_header": download.announced,
        "overwritten": is_overwriting,
    }


def check_free(path: Path, *, is_overwriting: bool) -> None:
    """Check that no file would be replaced unasked; raises OutputExists."""
    if path.exists() and not is_overwriting:
        raise _output_exists(path)


def check_writable(folder: Path) -> None:
    """Check that a file can be saved in the folder; raises OutputWriteFailed."""
    try:
        files.check_writable(folder)
    except OSError as error:
        raise _write_failed(error) from None


class _Download:
    """One download: its bytes go to a file, its length and hash are kept."""

    def __init__(self, asset: dict[str, Any]) -> None:
        self.asset = asset
        self.digest = hashlib.sha256()
        self.size = 0
        self.content_type: str | None = None
        self.announced: int | None = None

    def fill(self, file: BinaryIO) -> None:
        """Write the image; raises DownloadFailed unless it came whole and unchanged."""
        download = http_client.open_url(str(self.asset.get("url")), problem=DownloadFailed)
        headers = download.response.headers
        self.content_type = headers.get("Content-Type")
        length = headers.get("Content-Length") or ""
        self.announced = int(length) if length.isdigit() else None
        try:
            while chunk := self._read(download):
                self.digest.update(chunk)
                self.size += len(chunk)
                file.write(chunk)
        finally:
            download.connection.close()
        self._check()

    def _read(self, download: http_client.Download) -> bytes:
        try:
            return download.response.read(_CHUNK)
        except (OSError, ValueError) as error:
            raise DownloadFailed(
                f"The download was interrupted: {http_client.describe_failure(error)}."
            ) from None

    def _check(self) -> None:
        for length in (self.announced, self.asset.get("content_length")):
            if length is not None and length != self.size:
                raise DownloadFailed(f"Received {self.size} bytes instead of {length}.")
        expected = self.asset.get("sha256")
        if expected and expected != self.digest.hexdigest():
            raise DownloadFailed("The downloaded image is not the one that was stored.")


def _write_failed(error: OSError) -> OutputWriteFailed:
    return OutputWriteFailed(
        f"The file can't be written: {error.strerror or type(error).__name__}.",
        required_flag="--output",
    )


def _output_exists(path: Path) -> OutputExists:
    return OutputExists(
        f"{path} already exists; --overwrite replaces it.",
        required_flag="--overwrite",
    )
