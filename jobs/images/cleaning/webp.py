"""WebP: image, alpha, animation and color profile stay; EXIF, XMP and anything unknown goes."""

from collections.abc import Iterator

from jobs.images.cleaning.manifests import is_manifest
from jobs.images.cleaning.parts import (
    MalformedImage,
    orientation_exif,
    read_exact,
    read_orientation,
)

_ALLOWED_CHUNKS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_IN_FRAME = {b"ALPH", b"VP8 ", b"VP8L"}
_MANIFEST = b"C2PA"
_FRAME_HEADER_LENGTH = 16
_HAS_XMP, _HAS_EXIF = 0x04, 0x08


def clean(data: bytes, *, keep_manifest: bool = False) -> bytes:
    """Return the WebP without metadata and without what follows its end."""
    end = 8 + int.from_bytes(read_exact(data, 4, 4), "little")
    kept: list[bytes] = []
    orientation = 1
    for name, chunk in _chunks(read_exact(data, 0, end), 12):
        if name == b"EXIF":
            orientation = read_orientation(chunk[8:].removeprefix(b"Exif\x00\x00"))
        elif name == b"ANMF":
            kept.append(_clean_frame(chunk))
        elif name in _ALLOWED_CHUNKS or (
            keep_manifest and name == _MANIFEST and is_manifest(_body(chunk))
        ):
            kept.append(chunk)
    if not kept:
        raise MalformedImage("the WebP holds no image")
    if kept[0].startswith(b"VP8X"):
        kept[0] = _with_flags(kept[0], has_exif=orientation != 1)
        if orientation != 1:
            kept.append(_chunk(b"EXIF", orientation_exif(orientation)))
    payload = b"WEBP" + b"".join(kept)
    return b"RIFF" + len(payload).to_bytes(4, "little") + payload


def _chunks(data: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    """Return name and whole of each chunk, header and padding included."""
    while at < len(data):
        name = read_exact(data, at, 4)
        length = int.from_bytes(read_exact(data, at + 4, 4), "little")
        read_exact(data, at + 8, length)
        end = at + 8 + length + length % 2
        yield name, data[at:end]
        at = end


def _body(chunk: bytes) -> bytes:
    return chunk[8 : 8 + int.from_bytes(chunk[4:8], "little")]


def _clean_frame(chunk: bytes) -> bytes:
    header = read_exact(chunk, 8, _FRAME_HEADER_LENGTH)
    length = int.from_bytes(chunk[4:8], "little")
    parts = list(_chunks(chunk[: 8 + length], 8 + _FRAME_HEADER_LENGTH))
    if all(name in _IN_FRAME for name, _ in parts):
        return chunk
    return _chunk(b"ANMF", header + b"".join(part for name, part in parts if name in _IN_FRAME))


def _with_flags(chunk: bytes, *, has_exif: bool) -> bytes:
    flags = read_exact(chunk, 8, 10)[0] & ~(_HAS_XMP | _HAS_EXIF)
    return chunk[:8] + bytes([flags | (_HAS_EXIF if has_exif else 0)]) + chunk[9:]


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "little") + body + b"\x00" * (len(body) % 2)
