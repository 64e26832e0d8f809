"""The colors of an opened image as RGB or RGBA of 8 bits."""

import io

from PIL import Image, ImageCms

from jobs.images import opening

PLAIN_MODES = {"RGB", "RGBA"}
DEEP_MODES = {"CMYK", "I", "I;16", "I;16L", "I;16B", "I;16N", "F"}
_PROFILE_BYTES = 1 << 20  # more of it is refused by Pillow's default settings, and by who use them


def to_rgb(image: Image.Image) -> Image.Image:
    """Return an image in RGB, or RGBA where pixels may be transparent."""
    if image.mode == "CMYK":
        return _from_cmyk(image)
    plain = opening.to_eight_bits(image)
    if plain.mode in PLAIN_MODES and "transparency" not in plain.info:
        return plain
    return plain.convert("RGBA" if opening.has_alpha(plain) else "RGB")


def is_large(profile: bytes | None) -> bool:
    """Return whether a color profile is larger than most readers take."""
    return profile is not None and len(profile) > _PROFILE_BYTES


def to_srgb(image: Image.Image, profile: bytes, *, mode: str | None = None) -> Image.Image:
    """Convert colors by a profile; the image as it is where the profile is of no use."""
    try:
        into = ImageCms.createProfile("sRGB")
        found = ImageCms.profileToProfile(image, io.BytesIO(profile), into, outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return image if found is None else found


def _from_cmyk(image: Image.Image) -> Image.Image:
    """Convert by the image's own profile, as without it printers' colors come out garish."""
    profile = image.info.get("icc_profile")
    found = to_srgb(image, profile, mode="RGB") if profile else image
    return found if found.mode == "RGB" else image.convert("RGB")
