"""An image for what was asked: right size, right format, the words on it."""

import hashlib
import io
from functools import lru_cache
from textwrap import wrap
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps
from PIL.PngImagePlugin import PngInfo

FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
_IMAGE_DESCRIPTION = 0x010E
MIME_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


@lru_cache(maxsize=32)  # asked for the same again, it answers at once, as measurements want it
def render(*, words: str, size: tuple[int, int], kind: str = "png", number: int = 0) -> bytes:
    """Paint words on a gradient of their own colors."""
    digest = hashlib.sha256(f"{words}\0{number}".encode()).digest()
    ramp = Image.linear_gradient("L").rotate(digest[0] % 4 * 90).resize(size)
    dark = tuple(value // 3 for value in digest[1:4])
    light = tuple(128 + value // 2 for value in digest[4:7])
    image = ImageOps.colorize(ramp, black=dark, white=light)
    pen = ImageDraw.Draw(image)
    height = max(10, min(size) // 18)
    font = ImageFont.load_default(height)
    lines = wrap(words, 28)[:8] or ["a stand-in's image"]
    pen.multiline_text((height, height), "\n".join(lines), fill="white", font=font)
    place = (size[0] - height, size[1] - height)
    pen.text(place, f"stand-in · {number + 1}", fill="white", font=font, anchor="rs")
    return encode(image, kind, words=words)


def encode(image: Image.Image, kind: str, *, words: str = "") -> bytes:
    """Return an image's bytes in a format, the words written into the file as some makers do."""
    file = io.BytesIO()
    options: dict[str, Any] = {}
    if words and kind == "png":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("parameters", words)
    elif words:
        options["exif"] = Image.Exif()
        options["exif"][_IMAGE_DESCRIPTION] = words.encode("ascii", "replace").decode()[:1000]
    image.save(file, FORMATS[kind], **options)
    return file.getvalue()


def open_image(content: bytes) -> Image.Image:
    """Decode an image that came in; raises `OSError` where it can't be."""
    try:
        with Image.open(io.BytesIO(content), formats=tuple(FORMATS.values())) as image:
            image.load()
            return image
    except (SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise OSError(str(error)) from error


def read_size(content: bytes) -> tuple[int, int]:
    """Return the size of an image that came in; raises `OSError` where it is none."""
    with Image.open(io.BytesIO(content)) as image:
        image.verify()
        return image.size


def size_for_ratio(aspect_ratio: str, *, area: int, step: int = 16) -> tuple[int, int]:
    """Return the size of about `area` pixels with a ratio such as `16:9` or `9:19.5`."""
    wide, high = (float(side) for side in aspect_ratio.split(":"))
    edge = (area / (wide * high)) ** 0.5
    return max(step, round(wide * edge / step) * step), max(step, round(high * edge / step) * step)
