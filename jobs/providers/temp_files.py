"""Files for images between the provider and our storage: in memory while small, then on disk."""

from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

MAX_MEMORY_BYTES = 4 * 1024 * 1024


def open_spool() -> BinaryIO:
    """Open an empty spooled file; its owner closes it, and it is gone."""
    return cast("BinaryIO", SpooledTemporaryFile(max_size=MAX_MEMORY_BYTES))
