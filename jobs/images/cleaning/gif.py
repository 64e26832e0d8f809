"""GIF: frames, their timing, looping and color profile stay; comments, texts and XMP go."""

from jobs.images.cleaning.manifests import is_manifest
from jobs.images.cleaning.parts import MalformedImage, read_exact

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL, _APPLICATION = 0xF9, 0xFF
_ALLOWED_APPLICATIONS = {b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"}
_MANIFEST_APPLICATION = b"C2PA_GIF\x01\x00\x00"
_SCREEN_END = 13


def clean(data: bytes, *, keep_manifest: bool = False) -> bytes:
    """Return the GIF without metadata and without what follows its end."""
    at = _SCREEN_END + _color_table_length(read_exact(data, 10, 1)[0])
    kept = [read_exact(data, 0, at)]
    while (block := read_exact(data, at, 1)[0]) != _TRAILER:
        if block == _IMAGE:
            start = at + 10 + _color_table_length(read_exact(data, at + 9, 1)[0]) + 1
            end = _end_of_sub_blocks(data, start)
            kept.append(data[at:end])
        elif block == _EXTENSION:
            end = _end_of_sub_blocks(data, at + 2)
            if _is_kept(data[at:end]) or (keep_manifest and _holds_manifest(data[at:end])):
                kept.append(data[at:end])
        else:
            raise MalformedImage("the GIF has a block that nobody knows")
        at = end
    kept.append(b"\x3b")
    return b"".join(kept)


def _color_table_length(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _end_of_sub_blocks(data: bytes, at: int) -> int:
    while length := read_exact(data, at, 1)[0]:
        at += 1 + length
    return at + 1


def _is_kept(extension: bytes) -> bool:
    label = extension[1]
    if label == _APPLICATION:
        return extension[3:14] in _ALLOWED_APPLICATIONS
    return label == _GRAPHIC_CONTROL


def _holds_manifest(extension: bytes) -> bool:
    if extension[1] != _APPLICATION or extension[3:14] != _MANIFEST_APPLICATION:
        return False
    blocks, at = bytearray(), 14
    while length := extension[at]:
        blocks += extension[at + 1 : at + 1 + length]
        at += 1 + length
    return is_manifest(bytes(blocks))
