"""Idempotency keys made by the client."""

import os
import time


def new_key(operation: str) -> str:
    """Make a unique key, such as `create-1767322800000-9f…`."""
    return f"{operation}-{time.time_ns() // 1_000_000}-{os.urandom(8).hex()}"
