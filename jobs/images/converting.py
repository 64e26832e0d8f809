"""An image as a provider takes it: upright, one frame, RGB or RGBA of 8 bits, within its limits.

What is so already is not touched: nothing is encoded again without need. A mask keeps its marks
exactly: it is written as PNG, and scaled by taking the nearest pixels.
"""

import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image

from jobs.images import colors, conversions, opening
from jobs.images.fitting import Size, fit
from jobs.images.formats import AVIF, JPEG, PNG, ImageFormat

_PROFILED_MODES = {"RGB", "RGBA", "P"}
_PNG_DEPTH_AT = 24
_JPEG_QUALITIES = (95, 85)
_FAST_FROM_PIXELS = 4_000_000  # from here on compressing a PNG well takes seconds
_MAX_HALVINGS = 8


class _TooLarge(Exception):
    """What is being written has more bytes than it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an image has to become: a format of `accepts`, within limits; 0 bytes are no limit.

    A mask has the `size` of its image instead, and `marks` says what its model reads in it:
    `transparency`, `black`, or anything where it is empty.
    """

    accepts: Collection[str]
    max_bytes: int = 0
    max_pixels: int = 0
    max_edge: int = 0
    size: Size | None = None
    marks: str = ""

    def size_of(self, shown: Size) -> Size:
        """Return the size that an image of this size has to have."""
        return self.size or fit(shown, max_pixels=self.max_pixels, max_edge=self.max_edge)


def needed_conversions(source: BinaryIO, *, limits: opening.ImageLimits) -> list[str]:
    """Return what `convert` changes about an image beside format and size, by `conversions`."""
    with opening.open_image(source, limits) as (kind, image):
        return _conversions(image, source, kind)


def convert(
    source: BinaryIO, file: BinaryIO, target: Target, *, limits: opening.ImageLimits
) -> dict[str, object]:
    """Write an image to `file` as it can be sent, or nothing where it can be sent as it is.

    `fits` is false for a mask that has too many bytes at the size of its image.
    """
    with opening.open_image(source, limits) as (kind, image):
        shown = opening.displayed_size(image)
        size = target.size_of(shown)
        if (
            size == shown
            and kind.mime_type in target.accepts
            and not 0 < target.max_bytes < _length(source)
            and _is_plain(image, source, kind)
        ):
            return _answer(kind, size)
        ready = _ready(image, size, is_mask=target.size is not None)
    if target.size is not None:
        return _write_mask(ready, file, target)
    return _write(ready, file, target, is_photo=kind in {JPEG, AVIF})


def _answer(kind: ImageFormat, size: Size, **more: bool) -> dict[str, object]:
    width, height = size
    found = {"mime_type": kind.mime_type, "width": width, "height": height}
    return found | {"is_converted": False, "fits": True} | more


def _ready(image: Image.Image, size: Size, *, is_mask: bool) -> Image.Image:
    """Return an image of an open file upright, in RGB or RGBA of 8 bits, and of this size."""
    turn = opening.orientation(image)
    profile = image.info.get("icc_profile") if image.mode in _PROFILED_MODES else None
    image.load()
    plain = colors.to_rgb(image)
    is_large = colors.is_large(profile)
    if is_large and profile is not None:
        plain = colors.to_srgb(plain, profile)
    stored = size[::-1] if turn in opening.ROTATED_ORIENTATIONS else size
    if stored != plain.size:  # before it is turned, which takes memory by its size
        plain = plain.resize(stored, _resampling(is_mask=is_mask))
    upright = opening.turn_upright(plain, turn)
    upright.info = {}  # Pillow would write whatever is there
    if profile is not None and not is_large and not is_mask:
        upright.info["icc_profile"] = profile
    return upright


def _resampling(*, is_mask: bool) -> Image.Resampling:
    return Image.Resampling.NEAREST if is_mask else Image.Resampling.HAMMING


def _write(
    image: Image.Image, file: BinaryIO, target: Target, *, is_photo: bool
) -> dict[str, object]:
    """Write an image in the first way that has few enough bytes, scaled where none does."""
    is_jpeg_taken = image.mode == "RGB" and JPEG.mime_type in target.accepts
    ways = list(_ways(is_photo=is_photo, is_jpeg_taken=is_jpeg_taken))
    for scaled in _ever_smaller(image):
        # What the last way could not do at full size, the others can't do at half of it either.
        for kind, options in ways if scaled is image else ways[-1:]:
            content = _encode(scaled, kind, max_bytes=target.max_bytes, **options)
            if content is not None:
                file.write(content)
                return _answer(kind, scaled.size, is_converted=True)
    raise opening.ImageRejected("The image can't be made small enough.")


def _ways(*, is_photo: bool, is_jpeg_taken: bool) -> Iterator[tuple[ImageFormat, dict[str, Any]]]:
    if not (is_photo and is_jpeg_taken):
        yield PNG, {}
    if is_jpeg_taken:
        for quality in _JPEG_QUALITIES:
            yield JPEG, {"quality": quality, "subsampling": 0}


def _ever_smaller(image: Image.Image) -> Iterator[Image.Image]:
    """Yield the image, then again and again with half as many pixels."""
    yield image
    pixels = image.width * image.height
    for halvings in range(1, _MAX_HALVINGS + 1):
        size = fit(image.size, max_pixels=max(1, pixels >> halvings), max_edge=max(image.size))
        yield image.resize(size, _resampling(is_mask=False))


def _write_mask(image: Image.Image, file: BinaryIO, target: Target) -> dict[str, object]:
    """Write a mask as PNG: whole, else what its model reads in it alone."""
    content = _encode(image, PNG, max_bytes=target.max_bytes)
    if content is None:
        content = _encode(_only_marks(image, target.marks), PNG, max_bytes=target.max_bytes)
    if content is None:
        return _answer(PNG, image.size, is_converted=True, fits=False)
    file.write(content)
    return _answer(PNG, image.size, is_converted=True)


def _only_marks(image: Image.Image, marks: str) -> Image.Image:
    if marks == "transparency" and image.mode == "RGBA":
        alone = Image.new("RGBA", image.size, (0, 0, 0, 255))
        alone.putalpha(image.getchannel("A"))
        return alone
    if marks == "black":
        return image.convert("L")
    return image


def _is_plain(image: Image.Image, source: BinaryIO, kind: ImageFormat) -> bool:
    return image.mode in colors.PLAIN_MODES and not _conversions(image, source, kind)


def _conversions(image: Image.Image, source: BinaryIO, kind: ImageFormat) -> list[str]:
    is_deep = image.mode in colors.DEEP_MODES or (kind is PNG and _png_depth(source) > 8)
    found = {
        conversions.TURNED: opening.orientation(image) != 1,
        conversions.FIRST_FRAME: getattr(image, "n_frames", 1) != 1,
        conversions.COLORS: is_deep,
        conversions.PROFILE: colors.is_large(image.info.get("icc_profile")),
    }
    return [name for name, is_needed in found.items() if is_needed]


def _png_depth(source: BinaryIO) -> int:
    """Return how many bits a channel of a PNG has; the file stays where it is."""
    at = source.tell()
    source.seek(_PNG_DEPTH_AT)
    depth = source.read(1)[0]
    source.seek(at)
    return depth


def _length(source: BinaryIO) -> int:
    """Return how many bytes a file has; it stays where it is."""
    at = source.tell()
    length = source.seek(0, io.SEEK_END)
    source.seek(at)
    return length


class _LimitedBuffer(io.BytesIO):
    """Takes no more bytes than it may, so that nothing is compressed to its end in vain."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__()
        self._max_bytes = max_bytes

    def write(self, data: Any, /) -> int:
        """Write, or raise `_TooLarge`; 0 bytes are no limit."""
        if 0 < self._max_bytes < self.tell() + len(data):
            raise _TooLarge
        return super().write(data)


def _encode(
    image: Image.Image, kind: ImageFormat, *, max_bytes: int, **options: Any
) -> bytes | None:
    """Return an image's bytes in a format; None where these are too many."""
    file = _LimitedBuffer(max_bytes)
    if kind is PNG and image.width * image.height > _FAST_FROM_PIXELS:
        options["compress_level"] = 1
    if "icc_profile" in image.info:
        options["icc_profile"] = image.info["icc_profile"]
    try:
        image.save(file, kind.pillow_name, **options)
    except _TooLarge:
        return None
    return file.getvalue()
