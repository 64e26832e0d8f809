"""Images to test with, and uploads of them."""

import base64
import hashlib
import io
from typing import Any

from PIL import Image

SECRET = b"a secret place in the mountains"


def noise(kind: str = "PNG", *, size: tuple[int, int] = (640, 480), **options: Any) -> bytes:
    """Draw an image of noise in a format of Pillow's."""
    file = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(file, kind, **options)
    return file.getvalue()


def exif(*, orientation: int = 1) -> Image.Exif:
    """Make EXIF data with a secret in it."""
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010E] = SECRET.decode()
    return data


def upload_of(data: bytes, *, mime_type: str = "image/png", **changes: Any) -> dict[str, Any]:
    """Write the body of an upload of these bytes."""
    return {
        "source_kind": "local_path",
        "filename": "image.png",
        "remote_origin": None,
        "mime_type": mime_type,
        "content_length": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes_base64": base64.b64encode(data).decode(),
    } | changes
