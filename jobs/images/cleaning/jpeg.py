"""JPEG: tables and scans of the first image stay, as do ICC profile and Adobe's color mark.

What follows the first image's end goes: phones and cameras put further images there.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from jobs.images.cleaning.manifests import is_manifest
from jobs.images.cleaning.parts import (
    MalformedImage,
    orientation_exif,
    read_exact,
    read_orientation,
)

START, END, SCAN, RESTART_INTERVAL = 0xD8, 0xD9, 0xDA, 0xDD
MAX_SCANS = 100
"""Cameras and encoders write about ten; each costs a pass over the whole image."""

_APP0, _APP1, _APP2, _APP11, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEB, 0xEE, 0xEF
_COMMENT = 0xFE
_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
_IMAGE_START = b"\xff\xd8\xff"
_JUMBF_HEADER, _REPEATED_HEADER = 8, 16


class JpegSegment(NamedTuple):
    """One segment: its marker, its body, the scan's data behind it, and all of it as it stands."""

    marker: int
    body: bytes
    entropy: bytes
    whole: bytes


def clean(data: bytes, *, keep_manifest: bool = False) -> bytes:
    """Return the JPEG without metadata and without what follows its end."""
    parts = list(segments(data))
    keep_manifest = keep_manifest and is_manifest(_jumbf(parts))
    kept = [data[:2]]
    orientation = 1
    for part in parts:
        if part.marker == _APP1 and part.body.startswith(b"Exif\x00\x00"):
            orientation = read_orientation(part.body[6:])
        if _is_kept(part, keep_manifest=keep_manifest):
            kept.append(part.whole)
    if orientation != 1:
        after_jfif = 2 if len(kept) > 1 and kept[1][1] == _APP0 else 1
        kept.insert(after_jfif, _exif(orientation))
    return b"".join(kept)


def has_further_images(data: bytes) -> bool:
    """Return whether other JPEGs follow the first image's end, as phones and cameras put them."""
    end = 2 + sum(len(part.whole) for part in segments(data))
    return _IMAGE_START in data[end:]


def segments(data: bytes) -> Iterator[JpegSegment]:
    """Walk the segments up to the first image's end.

    Raises `MalformedImage` for a JPEG that can't be walked, or has too many scans.
    """
    at, scans = 2, 0
    while True:
        start = at
        marker, at = _marker(data, at)
        if marker == END:
            yield JpegSegment(marker, b"", b"", data[start:at])
            return
        length = int.from_bytes(read_exact(data, at, 2), "big")
        if length < 2:
            raise MalformedImage("a JPEG segment has no length")
        body = read_exact(data, at, length)[2:]
        at += length
        end = at
        if marker == SCAN:
            scans += 1
            if scans > MAX_SCANS:
                raise MalformedImage(f"the JPEG has more than {MAX_SCANS} scans")
            end = _end_of_scan(data, at)
        yield JpegSegment(marker, body, data[at:end], data[start:end])
        at = end


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


def _is_kept(part: JpegSegment, *, keep_manifest: bool) -> bool:
    if part.marker == _APP0:
        # Longer: a preview in it.
        return part.body.startswith(b"JFIF\x00") and len(part.body) == 14
    if part.marker == _APP2:
        return part.body.startswith(b"ICC_PROFILE\x00")
    if part.marker == _APP14:
        return part.body.startswith(b"Adobe")
    if part.marker == _APP11:
        return keep_manifest
    return not (_APP0 <= part.marker <= _APP15 or part.marker in {_COMMENT, START})


def _jumbf(parts: Iterable[JpegSegment]) -> bytes:
    """Return what APP11 segments hold together; each after the first repeats the box's header."""
    boxes = [part.body for part in parts if part.marker == _APP11]
    if not all(box.startswith(b"JP") for box in boxes):
        return b""
    first, rest = boxes[:1], boxes[1:]
    return b"".join(
        [*(box[_JUMBF_HEADER:] for box in first), *(box[_REPEATED_HEADER:] for box in rest)]
    )


def _exif(orientation: int) -> bytes:
    body = b"Exif\x00\x00" + orientation_exif(orientation)
    return bytes((0xFF, _APP1)) + (len(body) + 2).to_bytes(2, "big") + body
