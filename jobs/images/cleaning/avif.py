"""AVIF: EXIF and XMP items, private boxes and trailing data are blanked in place.

Nothing moves, since items are found by their offset in the file. Orientation lives in image
properties here, which stay, and an EXIF orientation is to be ignored by the standard.
"""

from collections.abc import Iterator
from typing import NamedTuple

from jobs.images.cleaning.manifests import is_manifest
from jobs.images.cleaning.parts import MalformedImage, read_exact

_TOP_LEVEL = {b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip"}
_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"meta"}
_PRIVATE = {b"udta", b"uuid", b"free", b"skip"}
_IN_FILE, _IN_META = 0, 1
_MANIFEST_TYPE = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_MANIFEST_PURPOSE = b"manifest\x00"


class AvifBox(NamedTuple):
    """One box: its type, and where its header, its content and its end stand in the file."""

    name: bytes
    start: int
    content: int
    end: int


def clean(data: bytes, *, keep_manifest: bool = False) -> bytes:
    """Return the AVIF with its metadata blanked and without what follows its last box."""
    found = list(top_level_boxes(data))
    out = bytearray(data[: found[-1].end])
    for box in found:
        if keep_manifest and box.name == b"uuid" and _holds_manifest(data[box.content : box.end]):
            continue
        if box.name not in _TOP_LEVEL:
            out[box.start + 4 : box.start + 8] = b"free"
        if box.name not in _TOP_LEVEL or box.name in _PRIVATE:
            _blank(out, box.content, box.end)
        elif box.name in _CONTAINERS:
            _clean_container(out, data, box)
    return bytes(out)


def top_level_boxes(data: bytes) -> Iterator[AvifBox]:
    """Walk the file's boxes up to the first thing that is none: that is trailing data."""
    at = 0
    seen = set()
    while at + 8 <= len(data):
        try:
            box = _box(data, at, len(data))
        except MalformedImage:
            if data[at + 4 : at + 8] in _TOP_LEVEL:
                raise
            break
        seen.add(box.name)
        yield box
        at = box.end
    if b"ftyp" not in seen or not {b"meta", b"moov"} & seen:
        raise MalformedImage("the AVIF holds no image")


def boxes(data: bytes, at: int, end: int) -> Iterator[AvifBox]:
    """Walk the boxes between two places; raises `MalformedImage`."""
    while at < end:
        box = _box(data, at, end)
        yield box
        at = box.end


def _box(data: bytes, at: int, end: int) -> AvifBox:
    size = int.from_bytes(read_exact(data, at, 4), "big")
    name = read_exact(data, at + 4, 4)
    content = at + 8
    if size == 1:
        size = int.from_bytes(read_exact(data, at + 8, 8), "big")
        content = at + 16
    elif size == 0:
        size = end - at
    if at + size > end or content > at + size:
        raise MalformedImage("an AVIF box ends outside of its place")
    return AvifBox(name, at, content, at + size)


def _clean_container(out: bytearray, data: bytes, box: AvifBox) -> None:
    content = box.content + (4 if box.name == b"meta" else 0)
    children = list(boxes(data, content, box.end))
    for child in children:
        if child.name in _PRIVATE:
            out[child.start + 4 : child.start + 8] = b"free"
            _blank(out, child.content, child.end)
        elif child.name in _CONTAINERS:
            _clean_container(out, data, child)
    if box.name == b"meta":
        _clean_items(out, data, {child.name: child for child in children})


def _clean_items(out: bytearray, data: bytes, parts: dict[bytes, AvifBox]) -> None:
    if b"iinf" not in parts or b"iloc" not in parts:
        return
    blanked = set()
    for item, kind, place in items(data, parts[b"iinf"]):
        if kind in {b"Exif", b"mime"}:  # XMP is one of the latter
            out[place : place + 4] = b"null"
            blanked.add(item)
    for item, method, offset, length in extents(data, parts[b"iloc"]):
        if item not in blanked:
            continue
        start = offset + offset_origin(method, parts)
        read_exact(data, start, length)
        _blank(out, start, start + length)


def offset_origin(method: int, parts: dict[bytes, AvifBox]) -> int:
    """Return where the offsets of an item count from."""
    if method == _IN_FILE:
        return 0
    if method == _IN_META and b"idat" in parts:
        return parts[b"idat"].content
    raise MalformedImage("the AVIF keeps its metadata where it can't be removed")


def items(data: bytes, box: AvifBox) -> Iterator[tuple[int, bytes, int]]:
    """Yield id and type of each item, and where its type stands."""
    version = read_exact(data, box.content, 1)[0]
    at = box.content + 4 + (2 if version == 0 else 4)
    for entry in boxes(data, at, box.end):
        version = read_exact(data, entry.content, 1)[0]
        if version < 2:
            continue
        id_length = 2 if version == 2 else 4
        item = int.from_bytes(read_exact(data, entry.content + 4, id_length), "big")
        place = entry.content + 4 + id_length + 2
        yield item, read_exact(data, place, 4), place


def extents(data: bytes, box: AvifBox) -> Iterator[tuple[int, int, int, int]]:
    """Return item, construction method, offset and length of every extent of the location box."""
    version = read_exact(data, box.content, 1)[0]
    sizes = int.from_bytes(read_exact(data, box.content + 4, 2), "big")
    offset_size, length_size = sizes >> 12, (sizes >> 8) & 15
    base_size = (sizes >> 4) & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    at = box.content + 6
    wide = 4 if version == 2 else 2

    def number(length: int) -> int:
        nonlocal at
        at += length
        return int.from_bytes(read_exact(data, at - length, length), "big")

    for _ in range(number(wide)):
        item = number(wide)
        method = number(2) & 15 if version in (1, 2) else _IN_FILE
        number(2)  # which file the data is in: this one
        base = number(base_size)
        for _ in range(number(2)):
            number(index_size)
            offset = number(offset_size)
            length = number(length_size)
            yield item, method, base + offset, length


def _holds_manifest(content: bytes) -> bool:
    """Return whether a box of extended type holds a manifest: type, flags, purpose, offset."""
    rest = content.removeprefix(_MANIFEST_TYPE)
    purpose = rest[4 : 4 + len(_MANIFEST_PURPOSE)]
    return (
        len(rest) < len(content)
        and purpose == _MANIFEST_PURPOSE
        and is_manifest(rest[4 + len(_MANIFEST_PURPOSE) + 8 :])
    )


def _blank(out: bytearray, start: int, end: int) -> None:
    out[start:end] = bytes(end - start)
