"""Removing what an image carries beside the image: EXIF, GPS, text, previews, trailing data.

Nothing is encoded again: each container is taken apart and put together without those parts.
Orientation and color profiles stay. What can't be taken apart is refused (`MalformedImage`).
"""

from typing import Protocol

from jobs.images.cleaning import avif, gif, jpeg, png, webp
from jobs.images.cleaning.parts import MalformedImage
from jobs.images.formats import AVIF, GIF, JPEG, PNG, WEBP, ImageFormat

__all__ = ["MalformedImage", "clean"]


class _Cleaner(Protocol):
    def __call__(self, data: bytes, *, keep_manifest: bool = False) -> bytes: ...


_CLEANERS: dict[ImageFormat, _Cleaner] = {
    PNG: png.clean,
    JPEG: jpeg.clean,
    WEBP: webp.clean,
    GIF: gif.clean,
    AVIF: avif.clean,
}


def clean(data: bytes, *, kind: ImageFormat, keep_manifest: bool = False) -> bytes:
    """Return the image without its metadata; the very same bytes where there was none.

    `keep_manifest` leaves a signed C2PA manifest where it is (ADR 14).
    """
    return _CLEANERS[kind](data, keep_manifest=keep_manifest)
