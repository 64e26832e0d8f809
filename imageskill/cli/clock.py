"""The time, as envelopes and files carry it."""

import time


def now_iso() -> str:
    """Return the current time in UTC, with milliseconds."""
    seconds = time.time()
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{seconds % 1 * 1000:03.0f}Z"
    )
