"""Kinds of images that phones, cameras, editors and attackers make, each made by code.

`GOOD` are taken, each with the size at which it is shown; `BAD` are refused.
"""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.jobs.sample_images import SECRET, exif

SIDES = (64, 48)
Made = Callable[[], bytes]


def ramp(mode: str = "RGB", size: tuple[int, int] = SIDES) -> Image.Image:
    """Draw a gradient with some noise in it, so that nothing about it is flat."""
    gray = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (gray, Image.effect_noise(size, 60), gray.transpose(0)))
    if mode == "RGBA":
        image.putalpha(gray)
        return image
    return image.convert(mode)


def saved(kind: str, image: Image.Image | None = None, **options: Any) -> bytes:
    """Save an image in a format of Pillow's."""
    file = io.BytesIO()
    (image or ramp()).save(file, kind, **options)
    return file.getvalue()


def film(kind: str, frame_count: int = 3, **options: Any) -> bytes:
    """Make an animation."""
    frames = [ramp().rotate(90 * turn) for turn in range(frame_count)]
    return saved(kind, frames[0], save_all=True, append_images=frames[1:], **options)


def mpo(second: tuple[int, int] = (32, 24)) -> bytes:
    """Make a JPEG with a second, smaller image behind the first, as phones do."""
    return saved("MPO", ramp(), save_all=True, append_images=[ramp(size=second)])


def gain_map() -> bytes:
    """Make a JPEG with another whole JPEG behind its end, without saying so in its header."""
    return saved("JPEG") + saved("JPEG", ramp("L", (32, 24)))


def png_chunk(name: bytes, body: bytes) -> bytes:
    check = zlib.crc32(name + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + name + body + check


def png_with(name: bytes, body: bytes, image: Image.Image | None = None) -> bytes:
    """Put a chunk behind the header of a PNG."""
    data = saved("PNG", image)
    return data[:33] + png_chunk(name, body) + data[33:]


def png_big_profile(padding: int = 1_600_000) -> bytes:
    return png_with(b"iCCP", _big_profile(srgb_profile(), padding))


def png_of_swapped_colors() -> bytes:
    """Make a PNG whose large profile shows its red as green."""
    profile = srgb_profile().replace(b"rXYZ", b"    ").replace(b"gXYZ", b"rXYZ")
    swapped = _big_profile(profile.replace(b"    ", b"gXYZ", 1), 1_600_000)
    return png_with(b"iCCP", swapped, Image.new("RGB", SIDES, (255, 0, 0)))


def srgb_profile() -> bytes:
    return bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())


def _big_profile(profile: bytes, padding: int) -> bytes:
    padded = profile + bytes(padding)
    return b"big\x00\x00" + zlib.compress(len(padded).to_bytes(4, "big") + padded[4:])


def png_big_text(name: bytes) -> bytes:
    """Put more than a megabyte of text into a PNG, compressed to little."""
    text = zlib.compress(SECRET * 60_000)
    heads = {b"zTXt": b"Comment\x00\x00", b"iTXt": b"XML:com.adobe.xmp\x00\x01\x00\x00\x00"}
    return png_with(name, heads[name] + text)


def sixteen_bit(color: int = 0) -> bytes:
    """Make a PNG of 16 bits a sample: gray, or with `color` 2 RGB and 6 RGBA."""
    width, height = SIDES
    samples = {0: 1, 2: 3, 4: 2, 6: 4}[color]
    row = b"\x00" + b"".join(struct.pack(">H", x * 1000) * samples for x in range(width))
    header = struct.pack(">IIBBBBB", width, height, 16, color, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(row * height))
        + png_chunk(b"IEND", b"")
    )


def scans(number: int) -> bytes:
    """Make a progressive JPEG whose last scan comes again and again."""
    data = saved("JPEG", ramp("L"), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * number + b"\xff\xd9"


def jpeg_of_height(height: int, **options: Any) -> bytes:
    """Make a JPEG whose header gives another height than its data has."""
    data = saved("JPEG", ramp(size=(64, 480)), **options)
    at = data.index(b"\xff\xc2" if "progressive" in options else b"\xff\xc0") + 5
    return data[:at] + height.to_bytes(2, "big") + data[at + 2 :]


def png_of_height(height: int, image: Image.Image | None = None) -> bytes:
    """Make a PNG whose header gives another height than its data has."""
    data = saved("PNG", image)
    header = data[16:20] + height.to_bytes(4, "big") + data[24:29]
    return data[:8] + png_chunk(b"IHDR", header) + data[33:]


def png_interlaced() -> bytes:
    """Make a PNG of 5 x 3 black pixels in seven passes."""
    header = struct.pack(">IIBBBBB", 5, 3, 8, 2, 0, 0, 1)
    rows = (1, 1, 1, 3, 2, 2, 5)  # how many pixels each has, pass by pass; the third has none
    data = b"".join(b"\x00" + bytes(3 * pixels) for pixels in rows)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(data))
        + png_chunk(b"IEND", b"")
    )


def avif_of_width(width: int) -> bytes:
    """Make an AVIF whose header gives another width than its data has."""
    data = saved("AVIF")
    at = data.index(b"ispe") + 8
    return data[:at] + width.to_bytes(4, "big") + data[at + 4 :]


def cmyk_with_profile() -> bytes:
    return saved("JPEG", ramp("CMYK"), icc_profile=srgb_profile())


def _turned(kind: str, orientation: int) -> Made:
    return lambda: saved(kind, exif=exif(orientation=orientation))


def _texts() -> bytes:
    info = PngInfo()
    info.add_text("parameters", SECRET.decode())
    info.add_itxt("prompt", SECRET.decode(), zip=True)
    return saved("PNG", pnginfo=info)


def _with_black_palette() -> bytes:
    return saved("PNG", ramp("P"), transparency=0)


def _bomb() -> bytes:
    return saved("PNG", Image.new("1", (20_000, 20_000)))


UPRIGHT, TURNED = SIDES, SIDES[::-1]

GOOD: dict[str, tuple[str, Made, tuple[int, int]]] = {
    "jpeg": ("image/jpeg", lambda: saved("JPEG"), UPRIGHT),
    "jpeg progressive": ("image/jpeg", lambda: saved("JPEG", progressive=True), UPRIGHT),
    "jpeg gray": ("image/jpeg", lambda: saved("JPEG", ramp("L")), UPRIGHT),
    "jpeg cmyk": ("image/jpeg", lambda: saved("JPEG", ramp("CMYK")), UPRIGHT),
    "jpeg cmyk with profile": ("image/jpeg", cmyk_with_profile, UPRIGHT),
    "jpeg 4:4:4": ("image/jpeg", lambda: saved("JPEG", subsampling=0), UPRIGHT),
    "jpeg optimized": ("image/jpeg", lambda: saved("JPEG", optimize=True), UPRIGHT),
    "jpeg restarts": ("image/jpeg", lambda: saved("JPEG", restart_marker_blocks=3), UPRIGHT),
    "jpeg flat gray": ("image/jpeg", lambda: saved("JPEG", Image.new("L", SIDES, 128)), UPRIGHT),
    "jpeg with comment": ("image/jpeg", lambda: saved("JPEG", comment=SECRET), UPRIGHT),
    "jpeg with xmp": ("image/jpeg", lambda: saved("JPEG", xmp=b"<x>" + SECRET), UPRIGHT),
    "jpeg mpo": ("image/jpeg", mpo, UPRIGHT),
    "jpeg mpo with a larger second": ("image/jpeg", lambda: mpo((128, 96)), UPRIGHT),
    "jpeg with a gain map": ("image/jpeg", gain_map, UPRIGHT),
    "jpeg with trailing data": ("image/jpeg", lambda: saved("JPEG") + SECRET, UPRIGHT),
    "jpeg of 60 scans": ("image/jpeg", lambda: scans(50), UPRIGHT),
    **{
        f"jpeg orientation {n}": ("image/jpeg", _turned("JPEG", n), TURNED if n > 4 else UPRIGHT)
        for n in range(1, 9)
    },
    "png": ("image/png", lambda: saved("PNG"), UPRIGHT),
    "png gray": ("image/png", lambda: saved("PNG", ramp("L")), UPRIGHT),
    "png gray and alpha": ("image/png", lambda: saved("PNG", ramp("LA")), UPRIGHT),
    "png black and white": ("image/png", lambda: saved("PNG", ramp("1")), UPRIGHT),
    "png palette": ("image/png", lambda: saved("PNG", ramp("P")), UPRIGHT),
    "png palette and transparency": ("image/png", _with_black_palette, UPRIGHT),
    "png alpha": ("image/png", lambda: saved("PNG", ramp("RGBA")), UPRIGHT),
    "png 16 bit gray": ("image/png", lambda: sixteen_bit(0), UPRIGHT),
    "png 16 bit rgb": ("image/png", lambda: sixteen_bit(2), UPRIGHT),
    "png 16 bit gray and alpha": ("image/png", lambda: sixteen_bit(4), UPRIGHT),
    "png 16 bit rgba": ("image/png", lambda: sixteen_bit(6), UPRIGHT),
    "png interlaced": ("image/png", png_interlaced, (5, 3)),
    "png animation": ("image/png", lambda: film("PNG"), UPRIGHT),
    "png orientation 6": ("image/png", _turned("PNG", 6), TURNED),
    "png with texts": ("image/png", _texts, UPRIGHT),
    "png with a large profile": ("image/png", png_big_profile, UPRIGHT),
    "png with a large text": ("image/png", lambda: png_big_text(b"zTXt"), UPRIGHT),
    "png with large xmp": ("image/png", lambda: png_big_text(b"iTXt"), UPRIGHT),
    "png with trailing data": ("image/png", lambda: saved("PNG") + SECRET, UPRIGHT),
    "webp": ("image/webp", lambda: saved("WEBP"), UPRIGHT),
    "webp lossless": ("image/webp", lambda: saved("WEBP", lossless=True), UPRIGHT),
    "webp alpha": ("image/webp", lambda: saved("WEBP", ramp("RGBA")), UPRIGHT),
    "webp animation": ("image/webp", lambda: film("WEBP"), UPRIGHT),
    "webp orientation 8": ("image/webp", _turned("WEBP", 8), TURNED),
    "gif": ("image/gif", lambda: saved("GIF"), UPRIGHT),
    "gif animation": ("image/gif", lambda: film("GIF"), UPRIGHT),
    "gif of two frames": ("image/gif", lambda: film("GIF", 2), UPRIGHT),
    "gif with comment": ("image/gif", lambda: saved("GIF", comment=SECRET), UPRIGHT),
    "avif": ("image/avif", lambda: saved("AVIF"), UPRIGHT),
    "avif alpha": ("image/avif", lambda: saved("AVIF", ramp("RGBA")), UPRIGHT),
    "avif animation": ("image/avif", lambda: film("AVIF"), UPRIGHT),
}

BAD: dict[str, tuple[str, Made]] = {
    "jpeg of 2000 scans": ("image/jpeg", lambda: scans(2000)),
    "jpeg higher than its data": ("image/jpeg", lambda: jpeg_of_height(640)),
    "jpeg much higher than its data": ("image/jpeg", lambda: jpeg_of_height(16_000)),
    "jpeg lower than its data": ("image/jpeg", lambda: jpeg_of_height(200)),
    "progressive higher than its data": (
        "image/jpeg",
        lambda: jpeg_of_height(960, progressive=True),
    ),
    "jpeg with restarts, higher": (
        "image/jpeg",
        lambda: jpeg_of_height(640, restart_marker_blocks=3),
    ),
    "png higher than its data": ("image/png", lambda: png_of_height(96)),
    "png lower than its data": ("image/png", lambda: png_of_height(12)),
    "png palette higher than its data": ("image/png", lambda: png_of_height(96, ramp("P"))),
    "avif wider than its data": ("image/avif", lambda: avif_of_width(4000)),
    "avif narrower than its data": ("image/avif", lambda: avif_of_width(16)),
    "png of 400 megapixels": ("image/png", _bomb),
    "png with a profile of 17 MB": ("image/png", lambda: png_big_profile(17 * 1024 * 1024)),
    "jpeg without its end": ("image/jpeg", lambda: saved("JPEG")[:-200]),
    "png cut in half": ("image/png", lambda: saved("PNG")[:-900]),
    "webp cut in half": ("image/webp", lambda: saved("WEBP")[:-300]),
    "tiff": ("image/png", lambda: saved("TIFF")),
    "heic": ("image/jpeg", lambda: b"\x00\x00\x00\x18ftypheic" + bytes(64)),
    "svg": ("image/png", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
}
