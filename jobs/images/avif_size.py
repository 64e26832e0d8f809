"""Whether an AVIF's boxes give the size that its images have, as the decoder scales them to fit.

Each AV1 image item has a size property in the container and a sequence header in its data.
"""

from collections.abc import Iterator

from jobs.images.cleaning.avif import boxes, extents, items, offset_origin, top_level_boxes
from jobs.images.cleaning.parts import MalformedImage, read_exact

_IMAGE = b"av01"
_SEQUENCE_HEADER = 1
_MAX_HEADER_BYTES = 64
_NEEDED = {b"iinf", b"iloc", b"iprp"}


def check(data: bytes) -> None:
    """Raise `MalformedImage` where an image's property and its data give two sizes."""
    meta = next((box for box in top_level_boxes(data) if box.name == b"meta"), None)
    if meta is None:  # a sequence: its frames stand in tracks
        return
    parts = {box.name: box for box in boxes(data, meta.content + 4, meta.end)}
    if not parts.keys() >= _NEEDED:
        return
    images = {item for item, kind, _ in items(data, parts[b"iinf"]) if kind == _IMAGE}
    declared = dict(_declared_sizes(data, parts[b"iprp"].content, parts[b"iprp"].end))
    for item, method, offset, length in extents(data, parts[b"iloc"]):
        if item not in images or item not in declared:
            continue
        images.discard(item)  # only the first extent has the header
        start = offset + offset_origin(method, parts)
        coded = _coded_size(read_exact(data, start, min(length, _MAX_HEADER_BYTES)))
        if coded is not None and coded != declared[item]:
            raise MalformedImage("its header gives another size than its data has")


def _declared_sizes(data: bytes, at: int, end: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield each item that has a size property, with its width and height."""
    parts = {box.name: box for box in boxes(data, at, end)}
    if not {b"ipco", b"ipma"} <= parts.keys():
        return
    properties = list(boxes(data, parts[b"ipco"].content, parts[b"ipco"].end))
    for item, index in _associations(data, parts[b"ipma"].content):
        if 1 <= index <= len(properties) and properties[index - 1].name == b"ispe":
            size = read_exact(data, properties[index - 1].content + 4, 8)
            yield item, (int.from_bytes(size[:4], "big"), int.from_bytes(size[4:], "big"))


def _associations(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield each item with the number of each of its properties, counted from one."""
    version, is_wide = read_exact(data, at, 4)[0], data[at + 3] & 1
    count = int.from_bytes(read_exact(data, at + 4, 4), "big")
    at += 8
    id_length, index_length = (2 if version == 0 else 4), (2 if is_wide else 1)
    for _ in range(count):
        item = int.from_bytes(read_exact(data, at, id_length), "big")
        number = read_exact(data, at + id_length, 1)[0]
        at += id_length + 1
        for _ in range(number):
            value = int.from_bytes(read_exact(data, at, index_length), "big")
            yield item, value & (0x7FFF if is_wide else 0x7F)
            at += index_length


def _coded_size(units: bytes) -> tuple[int, int] | None:
    """Read width and height out of the sequence header, if it is one of the first units."""
    at = 0
    while at < len(units):
        header = units[at]
        at += 2 if header & 4 else 1
        length = len(units) - at
        if header & 2:
            length, at = _leb128(units, at)
        if header >> 3 & 15 == _SEQUENCE_HEADER:
            return _size_in(_Bits(units[at : at + length]))
        at += length
    return None


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 56, 7):
        byte = read_exact(data, at, 1)[0]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    return value, at


class _Bits:
    """Reads whole numbers of some bits; raises `MalformedImage` past the end."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise MalformedImage("the file ends in the middle of a part")
        return self._value >> self._left & (1 << count) - 1


def _size_in(bits: _Bits) -> tuple[int, int] | None:
    """Read a sequence header up to its size (AV1, section 5.5.1); None where it has timing."""
    bits.take(3 + 1)
    if bits.take(1):  # the reduced header of a still image
        bits.take(5)
    else:
        if bits.take(1):
            return None
        has_delays = bits.take(1)
        for _ in range(bits.take(5) + 1):
            bits.take(12)
            if bits.take(5) > 7:
                bits.take(1)
            if has_delays and bits.take(1):
                bits.take(4)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(width_bits) + 1, bits.take(height_bits) + 1
