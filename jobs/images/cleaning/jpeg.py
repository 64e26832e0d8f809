"""JPEG: the tables and scans stay, as do ICC profile and Adobe's color mark; the rest goes."""

import re

from jobs.images.cleaning.parts import (
    MalformedImage,
    orientation_exif,
    read_exact,
    read_orientation,
)

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)


def clean(data: bytes) -> bytes:
    """Return the JPEG without metadata and without what follows its end."""
    kept = [data[:2]]
    orientation = 1
    at = 2
    while True:
        start = at
        marker, at = _marker(data, at)
        if marker == _END:
            kept.append(data[start:at])
            break
        length = int.from_bytes(read_exact(data, at, 2), "big")
        if length < 2:
            raise MalformedImage("a JPEG segment has no length")
        body = read_exact(data, at, length)[2:]
        at += length
        if marker == _APP1 and body.startswith(b"Exif\x00\x00"):
            orientation = read_orientation(body[6:])
        if _is_kept(marker, body):
            kept.append(data[start:at])
        if marker == _SCAN:
            end = _end_of_scan(data, at)
            kept.append(data[at:end])
            at = end
    if orientation != 1:
        after_jfif = 2 if len(kept) > 1 and kept[1][1] == _APP0 else 1
        kept.insert(after_jfif, _exif(orientation))
    return b"".join(kept)


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """Return the marker at this place and where its segment begins; fill bytes are passed over."""
    if read_exact(data, at, 1) != b"\xff":
        raise MalformedImage("a JPEG marker is missing")
    while read_exact(data, at, 1) == b"\xff":
        at += 1
    return data[at], at + 1


def _end_of_scan(data: bytes, at: int) -> int:
    found = _NEXT_MARKER.search(data, at)
    if found is None:
        raise MalformedImage("the JPEG has no end")
    return found.start()


def _is_kept(marker: int, body: bytes) -> bool:
    if marker == _APP0:
        return body.startswith(b"JFIF\x00") and len(body) == 14  # longer: a preview in it
    if marker == _APP2:
        return body.startswith(b"ICC_PROFILE\x00")
    if marker == _APP14:
        return body.startswith(b"Adobe")
    return not (_APP0 <= marker <= _APP15 or marker in {_COMMENT, _START})


def _exif(orientation: int) -> bytes:
    body = b"Exif\x00\x00" + orientation_exif(orientation)
    return bytes((0xFF, _APP1)) + (len(body) + 2).to_bytes(2, "big") + body
