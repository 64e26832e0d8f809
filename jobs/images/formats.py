"""The formats we accept, told apart by their bytes and never by a name or a declared type."""

from dataclasses import dataclass

MAX_HEADER_BYTES = 64
"""How many bytes from the start `sniff` and `describe` need."""
MAX_PROFILE_BYTES = 16 * 1024 * 1024
"""How large a color profile may be once unpacked: those of calibrated devices take megabytes."""


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """One format: its MIME type, the extension of its public URL, and Pillow's name for it."""

    mime_type: str
    extension: str
    pillow_name: str


PNG = ImageFormat("image/png", "png", "PNG")
JPEG = ImageFormat("image/jpeg", "jpg", "JPEG")
WEBP = ImageFormat("image/webp", "webp", "WEBP")
GIF = ImageFormat("image/gif", "gif", "GIF")
AVIF = ImageFormat("image/avif", "avif", "AVIF")

FORMATS = (PNG, JPEG, WEBP, GIF, AVIF)
BY_MIME_TYPE = {one.mime_type: one for one in FORMATS} | {"image/jpg": JPEG}
MIME_TYPES = tuple(one.mime_type for one in FORMATS)
MIME_TYPE_BY_OUTPUT_FORMAT = {
    "png": PNG.mime_type,
    "jpeg": JPEG.mime_type,
    "webp": WEBP.mime_type,
}
"""The formats that a caller can ask outputs to have, by their names on the wire."""

_AVIF_BRANDS = {b"avif", b"avis"}
_OTHER_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"BM", "a BMP image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"8BPS", "a Photoshop document"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\x1f\x8b", "gzip data"),
)


def sniff(head: bytes) -> ImageFormat | None:
    """Return the format that the first bytes belong to, or None."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp" and _AVIF_BRANDS & _brands(head):
        return AVIF
    return None


def describe(head: bytes) -> str:
    """Describe the bytes in a few fixed words, without quoting them."""
    known = sniff(head)
    if known is not None:
        return known.mime_type
    if not head:
        return "nothing"
    for start, name in _OTHER_SIGNATURES:
        if head.startswith(start):
            return name
    if head[4:8] == b"ftyp":
        return "another ISO media file (such as HEIC or video)"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<?xml", b"<svg", b"<!doctype", b"<html")):
        return "markup (such as SVG or HTML)"
    return "of no image format we know"


def _brands(head: bytes) -> set[bytes]:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))}
