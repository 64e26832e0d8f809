"""What the cleaners share: the refusal, bounded reading, and the smallest EXIF there is."""

import struct

_ORIENTATION = 0x0112
_SHORT = 3


class MalformedImage(ValueError):
    """The container is malformed, so what else is in it can't be known."""


def read_exact(data: bytes, at: int, length: int) -> bytes:
    """Return `length` bytes from `at`; raises `MalformedImage` where the data ends before."""
    if at < 0 or length < 0 or at + length > len(data):
        raise MalformedImage("the file ends in the middle of a part")
    return data[at : at + length]


def read_orientation(exif: bytes) -> int:
    """Read the orientation out of a TIFF block; 1 (upright) where there is none to read."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None or len(exif) < 8:
        return 1
    (directory,) = struct.unpack_from(f"{order}I", exif, 4)
    if directory + 2 > len(exif):
        return 1
    (count,) = struct.unpack_from(f"{order}H", exif, directory)
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        if entry + 12 > len(exif):
            break
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, entry)
        if tag == _ORIENTATION and kind == _SHORT and 1 <= value <= 8:
            return int(value)
    return 1


def orientation_exif(orientation: int) -> bytes:
    """Make the TIFF block that says the orientation and nothing else."""
    return struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, _ORIENTATION, _SHORT, 1, orientation, 0, 0)
