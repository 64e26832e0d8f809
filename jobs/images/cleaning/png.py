"""PNG: chunks that make the image stay; text, time, EXIF and anything unknown goes."""

import zlib

from jobs.images.cleaning.manifests import is_manifest
from jobs.images.cleaning.parts import (
    MalformedImage,
    orientation_exif,
    read_exact,
    read_orientation,
)

_SIGNATURE_LENGTH = 8
_ALLOWED_CHUNKS = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND"),
    *(b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI"),
    *(b"bKGD", b"hIST", b"pHYs", b"sPLT"),
    *(b"acTL", b"fcTL", b"fdAT"),  # animation
}
_MANIFEST = b"caBX"


def clean(data: bytes, *, keep_manifest: bool = False) -> bytes:
    """Return the PNG without metadata and without what follows its end."""
    kept = [data[:_SIGNATURE_LENGTH]]
    orientation = 1
    at = _SIGNATURE_LENGTH
    name = b""
    while name != b"IEND":
        length = int.from_bytes(read_exact(data, at, 4), "big")
        chunk = read_exact(data, at, length + 12)
        name = chunk[4:8]
        at += len(chunk)
        if name == b"eXIf":
            orientation = read_orientation(chunk[8:-4])
        elif name in _ALLOWED_CHUNKS or (
            keep_manifest and name == _MANIFEST and is_manifest(chunk[8:-4])
        ):
            kept.append(chunk)
        elif not name[0] & 0x20:  # upper case: the image can't be understood without it
            raise MalformedImage("the PNG has a critical chunk that nobody knows")
    if orientation != 1:
        kept.insert(2, _chunk(b"eXIf", orientation_exif(orientation)))
    return b"".join(kept)


def _chunk(name: bytes, body: bytes) -> bytes:
    check = zlib.crc32(name + body)
    return len(body).to_bytes(4, "big") + name + body + check.to_bytes(4, "big")
