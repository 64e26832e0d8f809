"""`image-skill assets get`."""

import hashlib
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from imageskill.cli import files, output
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.errors import DownloadFailed, OutputExists, OutputWriteFailed
from imageskill.cli.grammar import requests
from imageskill.cli.session import Session
from imageskill.cli.transport import http_client

_CHUNK = 256 * 1024


def run(session: Session) -> CommandResult:
    """Look the asset up, download it, check it, and only then move it into place."""
    call = session.call
    token = session.token(is_required=True)
    assert token is not None
    answer = http_client.send(session.api, requests.build(call), token=token.text)
    asset = answer.data.get("asset")
    if not answer.is_ok or not isinstance(asset, dict):
        return answer
    path = Path(call.given["output"]) if "output" in call.given else _default_path(asset)
    is_overwriting = call.is_on("overwrite")
    if path.exists() and not is_overwriting:
        raise _output_exists(path)
    with output.progress("Downloading", is_shown=not call.is_on("json")):
        download = _Download(asset)
        _write(path, download, is_overwriting=is_overwriting)
    return answer.with_data(
        download={
            "output_path": str(path),
            "bytes": download.size,
            "sha256": download.digest.hexdigest(),
            "content_type": download.content_type,
            "content_length_header": download.announced,
            "overwritten": is_overwriting,
        }
    )


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


def _write(path: Path, download: _Download, *, is_overwriting: bool) -> None:
    try:
        files.write_new(path, download.fill, is_overwriting=is_overwriting)
    except FileExistsError:
        raise _output_exists(path) from None
    except OSError as error:
        raise OutputWriteFailed(
            f"The file can't be written: {error.strerror or type(error).__name__}.",
            required_flag="--output",
        ) from None


def _default_path(asset: dict[str, Any]) -> Path:
    extension = Path(urlsplit(str(asset.get("url"))).path).suffix
    name = str(asset.get("asset_id"))
    safe = extension if extension[1:].isalnum() else ""
    return Path(Path(name).name + safe)


def _output_exists(path: Path) -> OutputExists:
    return OutputExists(
        f"{path} already exists; --overwrite replaces it.",
        required_flag="--overwrite",
    )
