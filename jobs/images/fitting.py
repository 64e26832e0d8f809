"""Sizes that images are scaled to, so that planning and the decoding child agree on them."""

import math

Size = tuple[int, int]


def fit(size: Size, *, max_pixels: int, max_edge: int) -> Size:
    """Return the largest size of the same ratio within limits; the size itself where it is."""
    width, height = size
    scale = min(1, math.sqrt(max_pixels / (width * height)), max_edge / max(size))
    if scale == 1:
        return size
    return max(1, int(width * scale)), max(1, int(height * scale))
