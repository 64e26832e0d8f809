"""Circles within circles around a few bright bodies, drawn like a chart of the heavens."""

import math
from random import Random

from PIL import Image, ImageDraw

from jobs.providers.local.sketching.canvas import disc, glow, gradient
from jobs.providers.local.sketching.palettes import Palette, mix


def draw(size: tuple[int, int], palette: Palette, random: Random, detail: int) -> Image.Image:
    """Draw the chart; `detail` 1 to 5 adds orbits."""
    deep = mix(palette.tones[-1], palette.ink, 0.5)
    image = gradient(size, (deep, palette.tones[-1], palette.tones[-2]))
    short = min(size)
    center = (size[0] * random.uniform(0.4, 0.6), size[1] * random.uniform(0.4, 0.6))
    pen = ImageDraw.Draw(image)
    _dust(pen, size, palette, random)
    sun = short * random.uniform(0.055, 0.08)
    glow(image, center, sun * 6, mix(palette.accent, palette.light, 0.3))
    disc(pen, *center, sun, palette.light)
    radius = sun * 2.1
    for number in range(4 + detail * 2):
        _orbit(pen, center, radius, palette, random, short=short, dashed=number % 3 == 2)
        radius += short * random.uniform(0.035, 0.085)
    return image


def _dust(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], palette: Palette, random: Random
) -> None:
    for _ in range(260):
        shade = mix(palette.tones[-1], palette.light, random.uniform(0.15, 0.8))
        radius = min(size) * random.choice([0.0007, 0.0007, 0.001, 0.0018])
        disc(pen, random.uniform(0, size[0]), random.uniform(0, size[1]), radius, shade)


def _orbit(
    pen: ImageDraw.ImageDraw, center: tuple[float, float], radius: float, palette: Palette,
    random: Random, *, short: int, dashed: bool,
) -> None:  # fmt: skip
    x, y = center
    box = (x - radius, y - radius, x + radius, y + radius)
    line = mix(palette.tones[-2], palette.light, random.uniform(0.3, 0.65))
    width = max(2, round(short * random.choice([0.0012, 0.0012, 0.0022])))
    if dashed:
        for start in range(0, 360, 4):
            pen.arc(box, start, start + 2, fill=line, width=width)
    else:
        pen.arc(box, 0, 360, fill=line, width=width)
    for _ in range(random.choice([0, 1, 1, 2])):
        _body(pen, center, radius, palette, random, short=short)


def _body(
    pen: ImageDraw.ImageDraw, center: tuple[float, float], radius: float, palette: Palette,
    random: Random, *, short: int,
) -> None:  # fmt: skip
    angle = random.uniform(0, math.tau)
    x, y = center[0] + radius * math.cos(angle), center[1] + radius * math.sin(angle)
    size = short * random.choice([0.006, 0.009, 0.014, 0.022])
    color = random.choice([palette.accent, *palette.tones[:3], *palette.sky[1:], palette.light])
    disc(pen, x, y, size * 1.5, mix(palette.tones[-1], palette.ink, 0.35))
    disc(pen, x, y, size, color)
    shade = mix(color, palette.ink, 0.45)
    pen.chord((x - size, y - size, x + size, y + size), 20, 160, fill=shade)
    if size > short * 0.012 and random.random() < 0.6:
        ring = (x - size * 2, y - size * 0.6, x + size * 2, y + size * 0.6)
        pen.arc(ring, 350, 190, fill=palette.light, width=max(2, round(size * 0.16)))
