"""PNG: chunks that make the picture stay; text, time, EXIF and anything unknown goes."""

import zlib

from jobs.images.cleaning.parts import Unsound, orientation_of, orientation_only, take

_SIGNATURE_LENGTH = 8
_KEPT = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND"),
    *(b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI"),
    *(b"bKGD", b"hIST", b"pHYs", b"sPLT"),
    *(b"acTL", b"fcTL", b"fdAT"),  # animation
}


def clean(data: bytes) -> bytes:
    """Give the PNG without metadata and without what follows its end."""
    kept = [data[:_SIGNATURE_LENGTH]]
    orientation = 1
    at = _SIGNATURE_LENGTH
    name = b""
    while name != b"IEND":
        length = int.from_bytes(take(data, at, 4), "big")
        chunk = take(data, at, length + 12)
        name = chunk[4:8]
        at += len(chunk)
        if name == b"eXIf":
            orientation = orientation_of(chunk[8:-4])
        elif name in _KEPT:
            kept.append(chunk)
        elif not name[0] & 0x20:  # upper case: the picture can't be understood without it
            raise Unsound("the PNG has a critical chunk that nobody knows")
    if orientation != 1:
        kept.insert(2, _chunk(b"eXIf", orientation_only(orientation)))
    return b"".join(kept)


def _chunk(name: bytes, body: bytes) -> bytes:
    check = zlib.crc32(name + body)
    return len(body).to_bytes(4, "big") + name + body + check.to_bytes(4, "big")
