"""What kind of picture some bytes are, by how they begin."""

_SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypavis", "image/avif"),
)


def mime_type(head: bytes) -> str | None:
    """Name the type of a picture by its first bytes; None for what is none that we take."""
    for start, signature, kind in _SIGNATURES:
        if head[start : start + len(signature)] == signature:
            return kind
    return None
