"""The type of an image, by its first bytes."""

HEAD_BYTES = 64

_SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
)
_AVIF_BRANDS = (b"avif", b"avis")


def mime_type(head: bytes) -> str | None:
    """Return the type of an image by its first bytes; None for what is not accepted.

    In doubt it accepts them: the server checks more closely.
    """
    for start, signature, kind in _SIGNATURES:
        if head[start : start + len(signature)] == signature:
            return kind
    if head[4:8] == b"ftyp" and any(brand in head for brand in _AVIF_BRANDS):
        return "image/avif"
    return None
