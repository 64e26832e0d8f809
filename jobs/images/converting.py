"""An image as a provider takes it: upright, one frame, RGB or RGBA of 8 bits, in a format it knows.

What is so already is not touched: nothing is encoded again without need.
"""

import io
from collections.abc import Collection
from typing import Any, BinaryIO

from PIL import Image, ImageCms

from jobs.images import conversions, opening
from jobs.images.formats import AVIF, JPEG, PNG, ImageFormat

_PLAIN_MODES = {"RGB", "RGBA"}
_PROFILED_MODES = {"RGB", "RGBA", "P"}
_PROFILE_BYTES = 1 << 20  # more of it is refused by Pillow's default settings, and by who use them
_DEEP_MODES = {"CMYK", "I", "I;16", "I;16L", "I;16B", "I;16N", "F"}
_PNG_DEPTH_AT = 24
_JPEG_OPTIONS: dict[str, Any] = {"quality": 95, "subsampling": 0}


def needed_conversions(source: BinaryIO, *, limits: opening.ImageLimits) -> list[str]:
    """Return what `convert` changes about an image beside its format, as `conversions` names it."""
    with opening.open_image(source, limits) as (kind, image):
        return _conversions(image, source, kind)


def convert(
    source: BinaryIO,
    target: BinaryIO,
    *,
    accepts: Collection[str],
    max_bytes: int,
    limits: opening.ImageLimits,
) -> dict[str, object]:
    """Write an image to `target` as it can be sent, or nothing where it can be sent as it is."""
    with opening.open_image(source, limits) as (kind, image):
        turn = opening.orientation(image)
        if kind.mime_type in accepts and _is_plain(image, source, kind):
            return {"mime_type": kind.mime_type, "is_converted": False}
        profile = image.info.get("icc_profile") if image.mode in _PROFILED_MODES else None
        image.load()
        plain = _to_rgb(image)
        if profile is not None and _is_large(profile):
            plain, profile = _to_srgb(plain, profile), None
            plain.info.pop("icc_profile", None)  # Pillow would write it
        ready = opening.turn_upright(plain, turn)
    is_photo = kind in {JPEG, AVIF} and ready.mode == "RGB" and JPEG.mime_type in accepts
    options: dict[str, Any] = {"icc_profile": profile} if profile else {}
    written = JPEG if is_photo else PNG
    content = _encode(ready, written, options)
    if written is PNG and 0 < max_bytes < len(content) and ready.mode == "RGB":
        written = JPEG if JPEG.mime_type in accepts else PNG
        content = _encode(ready, written, options)
    target.write(content)
    return {"mime_type": written.mime_type, "is_converted": True}


def _is_plain(image: Image.Image, source: BinaryIO, kind: ImageFormat) -> bool:
    return image.mode in _PLAIN_MODES and not _conversions(image, source, kind)


def _conversions(image: Image.Image, source: BinaryIO, kind: ImageFormat) -> list[str]:
    found = {
        conversions.TURNED: opening.orientation(image) != 1,
        conversions.FIRST_FRAME: getattr(image, "n_frames", 1) != 1,
        conversions.COLORS: image.mode in _DEEP_MODES or (kind is PNG and _png_depth(source) > 8),
        conversions.PROFILE: _is_large(image.info.get("icc_profile")),
    }
    return [name for name, is_needed in found.items() if is_needed]


def _png_depth(source: BinaryIO) -> int:
    """Return how many bits a channel of a PNG has; the file stays where it is."""
    at = source.tell()
    source.seek(_PNG_DEPTH_AT)
    depth = source.read(1)[0]
    source.seek(at)
    return depth


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "CMYK":
        return _from_cmyk(image)
    plain = opening.to_eight_bits(image)
    if plain.mode in _PLAIN_MODES and "transparency" not in plain.info:
        return plain
    return plain.convert("RGBA" if opening.has_alpha(plain) else "RGB")


def _is_large(profile: bytes | None) -> bool:
    return profile is not None and len(profile) > _PROFILE_BYTES


def _from_cmyk(image: Image.Image) -> Image.Image:
    """Convert by the image's own profile, as without it printers' colors come out garish."""
    profile = image.info.get("icc_profile")
    found = _to_srgb(image, profile, mode="RGB") if profile else image
    return found if found.mode == "RGB" else image.convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes, *, mode: str | None = None) -> Image.Image:
    """Convert colors by a profile; the image as it is where the profile is of no use."""
    try:
        into = ImageCms.createProfile("sRGB")
        found = ImageCms.profileToProfile(image, io.BytesIO(profile), into, outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return image if found is None else found


def _encode(image: Image.Image, kind: ImageFormat, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    image.save(file, kind.pillow_name, **options, **(_JPEG_OPTIONS if kind is JPEG else {}))
    return file.getvalue()
