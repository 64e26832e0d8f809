"""Whether a PNG has as much data as its header says, as decoders leave missing rows black.

Only its length is of interest, so the data is unpacked piece by piece and thrown away.
"""

import zlib
from collections.abc import Iterator

from jobs.images.cleaning.parts import MalformedImage, read_exact

_FIRST_CHUNK = 8
_HEADER_LENGTH = 13
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Of an interlaced image: where each pass begins, and its steps, across and down.
_PASSES = (
    ((0, 8), (0, 8)),
    ((4, 8), (0, 8)),
    ((0, 4), (4, 8)),
    ((2, 4), (0, 4)),
    ((0, 2), (2, 4)),
    ((1, 2), (0, 2)),
    ((0, 1), (1, 2)),
)
_WHOLE = (((0, 1), (0, 1)),)
_PIECE_BYTES = 1 << 20
_SURPLUS_SHARE = 10  # a tenth too much is let pass: some encoders pad
_MIN_SURPLUS_BYTES = 64


def check(data: bytes) -> None:
    """Raise `MalformedImage` where a cleaned PNG's header and its data disagree."""
    header = read_exact(data, _FIRST_CHUNK + 8, _HEADER_LENGTH)
    expected = _unpacked_bytes(header)
    most = expected + max(_MIN_SURPLUS_BYTES, expected // _SURPLUS_SHARE)
    if not expected <= _count_unpacked(data, most=most) <= most:
        raise MalformedImage("its header gives another size than its data has")


def _unpacked_bytes(header: bytes) -> int:
    """Return how many bytes the rows have, each with the byte that names its filter."""
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    bits = header[8] * _CHANNELS.get(header[9], 1)
    passes = _PASSES if header[12] else _WHOLE
    sizes = ((_pieces(width, *across), _pieces(height, *down)) for across, down in passes)
    return sum(rows * (1 + -(-columns * bits // 8)) for columns, rows in sizes if columns)


def _pieces(length: int, start: int, step: int) -> int:
    return max(0, -(-(length - start) // step))


def _count_unpacked(data: bytes, *, most: int) -> int:
    """Return how many bytes the image's data unpacks to; one more than `most` where more do."""
    unpacker, count = zlib.decompressobj(), 0
    try:
        for packed in _image_data(data):
            waiting = packed
            while waiting and not unpacker.eof:
                count += len(unpacker.decompress(waiting, _PIECE_BYTES))
                waiting = unpacker.unconsumed_tail
                if count > most:
                    return most + 1
        return count + len(unpacker.flush())  # a few bytes, where a piece was full
    except zlib.error as error:
        raise MalformedImage("the PNG's data can't be unpacked") from error


def _image_data(data: bytes) -> Iterator[bytes]:
    """Yield the bodies of the chunks that hold the image itself, in any animation its first."""
    at, name = _FIRST_CHUNK, b""
    while name != b"IEND":
        length = int.from_bytes(read_exact(data, at, 4), "big")
        name = data[at + 4 : at + 8]
        if name == b"IDAT":
            yield read_exact(data, at + 8, length)
        at += length + 12
