"""Whether a JPEG has as much data as its header says, as decoders don't care.

A decoder that runs out of data fills the rest with gray and says nothing; one with data left over
stops early. So the first scan is decoded with other bytes behind it: an image that changes with
them needs more data than there is. It is decoded at an eighth of its size, which costs little.
"""

import io
import re

from PIL.JpegImagePlugin import JpegImageFile

from jobs.images.cleaning.jpeg import END, RESTART_INTERVAL, SCAN, JpegSegment, segments
from jobs.images.cleaning.parts import MalformedImage

_HUFFMAN_FRAMES = {0xC0, 0xC1, 0xC2}
_END_MARKER = bytes((0xFF, END))
_FILLERS = (bytes(range(1, 0xF0)), bytes(range(0xEF, 0, -1)))
_FILLED_IN = (127, 128)
_UNUSED_SHARE = 10  # a tenth of the scan may be left over: some encoders pad
_MIN_UNUSED_BYTES = 64
_BLOCK = 8
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")


def check(data: bytes) -> None:
    """Raise `MalformedImage` where a cleaned JPEG's header and the data of its scan disagree."""
    head = _head(data)
    frame = next((one.body for one in head if one.marker in _HUFFMAN_FRAMES), None)
    scan = head[-1]
    if frame is None or scan.marker != SCAN:
        return
    restarts = [one.body for one in head if one.marker == RESTART_INTERVAL]
    interval = int.from_bytes(restarts[-1][:2], "big") if restarts else 0
    if interval:
        is_sound = _has_its_restarts(frame, scan, interval=interval)
    else:
        before = b"\xff\xd8" + b"".join(one.whole for one in head[:-1])
        scan_header = scan.whole[: len(scan.whole) - len(scan.entropy)]
        is_sound = _has_its_data(before + scan_header, scan.entropy)
    if not is_sound:
        raise MalformedImage("its header gives another size than its data has")


def _head(data: bytes) -> list[JpegSegment]:
    """Return the segments up to the first scan, that one included."""
    head: list[JpegSegment] = []
    for segment in segments(data):
        head.append(segment)
        if segment.marker == SCAN:
            break
    return head


def _has_its_restarts(frame: bytes, scan: JpegSegment, *, interval: int) -> bool:
    """Count restart markers: one stands after each interval, except the last."""
    expected = -(-_units(frame, scan.body) // interval) - 1
    return len(_RESTART.findall(scan.entropy)) in {expected, expected + 1}  # some end with one


def _units(frame: bytes, scan: bytes) -> int:
    """Return how many units a scan has by the frame's header: blocks of one or all components."""
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    sampling = {
        frame[at]: (frame[at + 1] >> 4, frame[at + 1] & 15) for at in range(6, len(frame) - 2, 3)
    }
    wide = max(factors[0] for factors in sampling.values())
    high = max(factors[1] for factors in sampling.values())
    if scan[0] > 1:
        return _pieces(width, _BLOCK * wide) * _pieces(height, _BLOCK * high)
    own_wide, own_high = sampling[scan[1]]
    columns, rows = _pieces(width * own_wide, wide), _pieces(height * own_high, high)
    return _pieces(columns, _BLOCK) * _pieces(rows, _BLOCK)


def _pieces(length: int, of: int) -> int:
    return -(-length // of)


def _has_its_data(before: bytes, entropy: bytes) -> bool:
    entropy = entropy.rstrip(b"\xff")
    whole = _decode(before + entropy)
    if len(set(whole)) <= 1:  # one flat color may take no bits at all
        return True
    # What is missing is missing at the end, so only an image that ends in that gray is in doubt.
    if whole[-1] in _FILLED_IN and any(
        _decode(before + entropy + filler) != whole for filler in _FILLERS
    ):
        return False
    unused = max(_MIN_UNUSED_BYTES, len(entropy) // _UNUSED_SHARE)
    return _decode(before + entropy[:-unused].rstrip(b"\xff")) != whole


def _decode(data: bytes) -> bytes:
    """Decode one scan at an eighth of its size; empty where it can't be decoded."""
    try:
        with JpegImageFile(io.BytesIO(data + _END_MARKER)) as image:
            width, height = image.size
            image.draft(image.mode, (max(1, width // _BLOCK), max(1, height // _BLOCK)))
            image.load()
            return image.tobytes()
    except (OSError, SyntaxError):
        return b""
