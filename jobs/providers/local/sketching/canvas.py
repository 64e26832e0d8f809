"""Drawing ground: gradients, soft light, grain; drawn at twice the size and scaled down."""

import math
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from jobs.providers.local.sketching.palettes import RGB

OVERSAMPLING = 2
GRAIN_TILE = 256
EDGE = 179
"""What Pillow's radial gradient has reached at the middle of its edges; 255 is in the corners."""
_FADING = [round(165 * (max(0, EDGE - v) / EDGE) ** 2) for v in range(256)]


def gradient(size: tuple[int, int], colors: tuple[RGB, RGB, RGB]) -> Image.Image:
    """Make a vertical gradient through three colors."""
    ramp = Image.linear_gradient("L").resize(size, Image.Resampling.BICUBIC)
    return ImageOps.colorize(ramp, black=colors[0], mid=colors[1], white=colors[2])


def glow(image: Image.Image, center: tuple[float, float], radius: float, color: RGB) -> None:
    """Draw soft light around a point."""
    side = max(2, round(radius * 2))
    halo = Image.radial_gradient("L").point(_FADING)
    halo = halo.resize((side, side), Image.Resampling.BICUBIC)
    image.paste(color, (round(center[0] - radius), round(center[1] - radius)), halo)


def add_grain(image: Image.Image, random: Random, strength: float) -> Image.Image:
    """Add the grain of paper, from none (0) to rough (1): the same for the same seed."""
    if not strength:
        return image
    noise = Image.frombytes("L", (GRAIN_TILE, GRAIN_TILE), random.randbytes(GRAIN_TILE**2))
    noise = noise.filter(ImageFilter.GaussianBlur(0.7))
    noise = noise.point([128 + round((v - 128) * strength) for v in range(256)])
    tiled = Image.new("L", image.size)
    for left in range(0, image.width, GRAIN_TILE):
        for top in range(0, image.height, GRAIN_TILE):
            tiled.paste(noise, (left, top))
    return ImageChops.overlay(image, Image.merge("RGB", (tiled,) * 3))


def disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, color: RGB) -> None:
    """Fill a circle."""
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)


class Waves:
    """A smooth random curve: a handful of sines, the later ones smaller and faster."""

    def __init__(self, random: Random, *, count: int, slowest: float, roughness: float) -> None:
        self._parts = [
            (
                roughness**number,
                slowest * 1.9**number * random.uniform(0.8, 1.25),
                random.uniform(0, math.tau),
            )
            for number in range(count)
        ]
        self._reach = sum(height for height, _, _ in self._parts)

    def at(self, share: float) -> float:
        """Return the height at a share of the width, between -1 and 1."""
        heights = (
            height * math.sin(math.tau * speed * share + shift)
            for height, speed, shift in self._parts
        )
        return sum(heights) / self._reach
