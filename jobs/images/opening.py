"""Opening images for real, with Pillow, inside the child: every frame or none."""

import itertools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

# Imported for what they register: `Image.open` would look for plugins at each call.
from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageStat,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from jobs.images.cleaning.parts import read_orientation
from jobs.images.formats import (
    FORMATS,
    MAX_HEADER_BYTES,
    MAX_PROFILE_BYTES,
    ImageFormat,
    describe,
    sniff,
)

_PLUGINS = (AvifImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin)
ROTATED_ORIENTATIONS = {5, 6, 7, 8}
_PILLOW_NAMES = tuple(one.pillow_name for one in FORMATS)
_SIXTEEN_BITS = {"I", "I;16", "I;16L", "I;16B", "I;16N"}
_THUMBNAIL_SIDE = 512
_BLANK_SPREAD = 4  # of 256: less than this in every channel is one flat color

PngImagePlugin.MAX_TEXT_CHUNK = MAX_PROFILE_BYTES  # Pillow's name for both; texts are gone by now
Image.MAX_IMAGE_PIXELS = None  # ours is stricter, counts frames, and refuses instead of warning
warnings.simplefilter("ignore")


class ImageRejected(Exception):
    """The bytes are no image that we take. The text is fixed words, fit for the caller."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """The most that is opened."""

    side: int
    pixels: int
    frames: int
    pixels_of_all_frames: int


def inspect(file: BinaryIO, *, limits: ImageLimits) -> dict[str, object]:
    """Decode every frame; return type, size as displayed, number of frames, and extremes."""
    with open_image(file, limits) as (kind, image):
        width, height = displayed_size(image)
        extremes: dict[str, object] = {}
        for frame in range(_frames(image)):
            image.seek(frame)
            image.load()
            extremes = extremes or _extremes(image)
        return {
            "mime_type": kind.mime_type,
            "width": width,
            "height": height,
            "frames": _frames(image),
        } | extremes


def make_thumbnail(
    file: BinaryIO, thumbnail: BinaryIO, *, limits: ImageLimits
) -> dict[str, object]:
    """Write a thumbnail of the first frame; return what the image looks like."""
    with open_image(file, limits) as (kind, image):
        width, height = displayed_size(image)
        image.draft("RGB", (2 * _THUMBNAIL_SIDE, 2 * _THUMBNAIL_SIDE))
        image.load()
        turn = orientation(image)
        small = to_eight_bits(image)
        small = small.convert("RGBA" if has_alpha(small) else "RGB")
        small.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
        small = turn_upright(small, turn)
        small.save(thumbnail, "WEBP", quality=80, method=2)
        return {
            "mime_type": kind.mime_type,
            "width": width,
            "height": height,
            "is_blank": _is_blank(small),
            "difference_hash": _difference_hash(small),
        }


@contextmanager
def open_image(file: BinaryIO, limits: ImageLimits) -> Iterator[tuple[ImageFormat, Image.Image]]:
    """Open an image within limits. Raises `ImageRejected`, for whatever the body raises too."""
    file.seek(0)
    head = file.read(MAX_HEADER_BYTES)
    kind = sniff(head)
    if kind is None:
        raise ImageRejected(f"The bytes are {describe(head)}, which is not accepted.")
    file.seek(0)
    try:
        with Image.open(file, formats=_PILLOW_NAMES) as image:
            _check_limits(image, limits)
            yield kind, image
    except MemoryError:
        raise ImageRejected("The image takes too much memory to open.") from None
    except ImageRejected:
        raise
    except Exception:  # noqa: BLE001 - Pillow's decoders raise whatever they like at broken bytes
        raise ImageRejected(
            f"The bytes begin like {kind.mime_type} but can't be decoded."
        ) from None


def _check_limits(image: Image.Image, limits: ImageLimits) -> None:
    """Refuse what is too large, from its header, before anything is decoded."""
    width, height = image.size
    if max(width, height) > limits.side or width * height > limits.pixels:
        raise ImageRejected(
            f"The image is {width} x {height}; at most {limits.side} px a side and "
            f"{limits.pixels} pixels in all are accepted."
        )
    frames = _frames(image)
    if frames > limits.frames or frames * width * height > limits.pixels_of_all_frames:
        raise ImageRejected(
            f"The image has {frames} frames; at most {limits.frames}, with "
            f"{limits.pixels_of_all_frames} pixels together, are accepted."
        )


def _frames(image: Image.Image) -> int:
    return int(getattr(image, "n_frames", 1))


def orientation(image: Image.Image) -> int:
    """Return how an image is to be turned, as EXIF numbers it."""
    exif = image.info.get("exif", b"")
    return read_orientation(exif.removeprefix(b"Exif\x00\x00"))


def displayed_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height as an image is shown."""
    width, height = image.size
    return (height, width) if orientation(image) in ROTATED_ORIENTATIONS else (width, height)


def has_alpha(image: Image.Image) -> bool:
    """Return whether some pixels may be transparent."""
    return image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info


def to_eight_bits(image: Image.Image) -> Image.Image:
    """Scale a gray image of 16 bits to 8, which Pillow's own conversion clips to white."""
    if image.mode not in _SIXTEEN_BITS:
        return image
    scaled = image.point(lambda value: value * (1 / 256)).convert("L")
    scaled.info.pop("transparency", None)  # a value of 16 bits
    return scaled


def _extremes(image: Image.Image) -> dict[str, object]:
    """Return the least brightness and opacity of a loaded frame, each from 0 to 255."""
    plain = to_eight_bits(image)
    min_alpha = 255
    if has_alpha(plain):
        plain = plain.convert("RGBA")
        min_alpha = _least(plain.getchannel("A"))
    return {"min_luma": _least(plain.convert("L")), "min_alpha": min_alpha}


def _least(band: Image.Image) -> int:
    [(least, _)] = ImageStat.Stat(band).extrema
    return int(least)


_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Turn an image as EXIF's number says."""
    turn = _TRANSPOSES.get(orientation)
    return image if turn is None else image.transpose(turn)


def _is_blank(image: Image.Image) -> bool:
    extrema = ImageStat.Stat(image).extrema
    return all(high - low < _BLANK_SPREAD for low, high in extrema)


def _difference_hash(image: Image.Image) -> int:
    """Hash what the image looks like: 64 bits, each whether brightness rises to the right."""
    small = image.convert("L").resize((9, 8), Image.Resampling.BOX)
    rows = [small.crop((0, y, 9, y + 1)).tobytes() for y in range(8)]
    bits = 0
    for row in rows:
        for left, right in itertools.pairwise(row):
            bits = bits << 1 | (left < right)
    return bits
