"""The public address of an image: `/a/image_….png`, and of its thumbnail. Unguessable, no sign-in.

Bytes pass through here (or a CDN before it), never by a redirect that would show a bucket or key.
"""

import re
from typing import BinaryIO, cast

from django.core.files.storage import storages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from jobs.assets import downloads
from jobs.images.formats import FORMATS
from jobs.models import Asset

_RANGE = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")  # any other is as good as none
_EXTENSIONS = {one.extension for one in FORMATS}
_MAX_AGE_S = 3600


@require_safe
def serve_image(request: HttpRequest, asset_id: str, extension: str) -> HttpResponseBase:
    """Serve an asset's bytes: 404 unknown, 410 withdrawn or deleted, 206 a range of them.

    What gives the image or its beginning counts as a download.
    """
    asset = _get_asset(asset_id)
    if asset is None or extension not in {asset.extension, _extension_alias(asset.extension)}:
        return _text_response("There is no such image.", status=404)
    if not asset.is_available:
        return _text_response("This image is gone.", status=410)
    etag = f'"{asset.sha256}"'
    if _etag_matches(request.headers.get("If-None-Match", ""), etag):
        return _with_headers(HttpResponse(status=304), etag)
    response = _serve_bytes(request, asset, etag)
    if _is_download(request, response):
        downloads.record(asset)
    return _with_headers(response, etag)


@require_safe
def serve_thumbnail(request: HttpRequest, asset_id: str) -> HttpResponseBase:
    """Serve an asset's thumbnail; 404 where there is none yet."""
    asset = _get_asset(asset_id)
    if asset is None or not (asset.thumbnail_key or not asset.is_available):
        return _text_response("There is no such thumbnail.", status=404)
    if not asset.is_available:
        return _text_response("This image is gone.", status=410)
    try:
        file = storages["default"].open(asset.thumbnail_key, "rb")
    except FileNotFoundError:
        return _text_response("There is no such thumbnail.", status=404)
    return _with_headers(FileResponse(file, content_type="image/webp"), f'"t-{asset.sha256}"')


def _get_asset(asset_id: str) -> Asset | None:
    return Asset.objects.filter(public_id=asset_id).first()


def _extension_alias(extension: str) -> str:
    return "jpeg" if extension == "jpg" else extension


def _etag_matches(header: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return "*" in tags or etag in tags


def _serve_bytes(request: HttpRequest, asset: Asset, etag: str) -> HttpResponseBase:
    length = asset.content_length
    span = _parse_range(request, etag, length)
    if span is not None and not span:
        response = _text_response("That range is not in the image.", status=416)
        response["Content-Range"] = f"bytes */{length}"
        return response
    try:
        file = cast("BinaryIO", storages["default"].open(asset.storage_key, "rb"))
    except FileNotFoundError:
        return _text_response("This image can't be read right now.", status=503)
    if span is None:
        whole = FileResponse(file, content_type=asset.mime_type)
        whole["Content-Length"] = str(length)
        return whole
    file.seek(span.start)
    part = FileResponse(_BoundedFile(file, len(span)), status=206, content_type=asset.mime_type)
    part["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{length}"
    part["Content-Length"] = str(len(span))
    return part


def _is_download(request: HttpRequest, response: HttpResponseBase) -> bool:
    if request.method != "GET":
        return False
    return response.status_code == 200 or response.get("Content-Range", "").startswith("bytes 0-")


def _parse_range(request: HttpRequest, etag: str, length: int) -> range | None:
    """Read the one range that is asked for: None for the whole, empty where it can't be met."""
    match = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if match is None or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = match.groups()
    if first:
        stop = min(int(last) + 1, length) if last else length
        return None if last and int(last) < int(first) else range(int(first), stop)
    return range(max(0, length - int(last)), length) if last else None


class _BoundedFile:
    """A file that ends after so many bytes."""

    def __init__(self, file: BinaryIO, left: int) -> None:
        self._file = file
        self._left = left

    def read(self, size: int = -1) -> bytes:
        """Read on, up to the end of the part."""
        chunk = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _text_response(text: str, *, status: int) -> HttpResponse:
    response = HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response


def _with_headers(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    if response.status_code < 400:
        response["ETag"] = etag
        response["Cache-Control"] = f"public, max-age={_MAX_AGE_S}"
        response["Accept-Ranges"] = "bytes"
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response
