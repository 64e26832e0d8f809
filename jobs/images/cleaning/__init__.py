"""Removing what an image carries beside the image: EXIF, GPS, text, previews, trailing data.

Nothing is encoded again: each container is taken apart and put together without those parts.
Orientation and color profiles stay. What can't be taken apart is refused (`MalformedImage`).
"""

from collections.abc import Callable

from jobs.images.cleaning import avif, gif, jpeg, png, webp
from jobs.images.cleaning.parts import MalformedImage
from jobs.images.formats import AVIF, GIF, JPEG, PNG, WEBP, ImageFormat

__all__ = ["MalformedImage", "clean"]

_CLEANERS: dict[ImageFormat, Callable[[bytes], bytes]] = {
    PNG: png.clean,
    JPEG: jpeg.clean,
    WEBP: webp.clean,
    GIF: gif.clean,
    AVIF: avif.clean,
}


def clean(data: bytes, *, kind: ImageFormat) -> bytes:
    """Return the image without its metadata; the very same bytes where there was none."""
    return _CLEANERS[kind](data)
