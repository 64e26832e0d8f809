"""C2PA manifests: what signs where an image comes from, in a JUMBF box of each container."""

_SUPERBOX, _DESCRIPTION, _STORE = b"jumb", b"jumd", b"c2pa"
_SIGNATURE = b"c2pa.signature\x00"


def is_manifest(box: bytes) -> bool:
    """Return whether this is one whole manifest store with a signature in it, and nothing more."""
    return (
        len(box) == int.from_bytes(box[:4], "big")
        and (box[4:8], box[12:16], box[16:20]) == (_SUPERBOX, _DESCRIPTION, _STORE)
        and _SIGNATURE in box
    )
