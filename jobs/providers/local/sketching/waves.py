"""Bands of color that flow over each other, like marbled paper or a map's contours."""

from random import Random

from PIL import Image, ImageDraw

from jobs.providers.local.sketching.canvas import Waves, disc, glow
from jobs.providers.local.sketching.palettes import Palette, mix

STEPS = 140


def draw(size: tuple[int, int], palette: Palette, random: Random, detail: int) -> Image.Image:
    """Draw the bands; `detail` 1 to 5 adds bands and lines."""
    width, height = size
    image = Image.new("RGB", size, palette.sky[2])
    short = min(size)
    x, y = width * random.uniform(0.25, 0.75), height * random.uniform(0.13, 0.24)
    glow(image, (x, y), short * 0.5, palette.light)
    pen = ImageDraw.Draw(image)
    disc(pen, x, y, short * random.uniform(0.08, 0.12), palette.accent)
    colors = [palette.sky[1], *palette.tones]
    bands = 6 + detail * 2
    drift = Waves(random, count=2, slowest=0.5, roughness=0.5)
    for number in range(bands):
        share = number / bands
        place = share * (len(colors) - 1)
        color = mix(colors[int(place)], colors[int(place) + 1], place - int(place))
        wave = Waves(random, count=3, slowest=random.uniform(0.5, 1.1), roughness=0.42)
        base, lift = height * (0.24 + 0.82 * share), height * 0.07
        ridge = [
            (
                width * step / STEPS,
                base - lift * (0.62 * wave.at(step / STEPS) + drift.at(step / STEPS)),
            )
            for step in range(STEPS + 1)
        ]
        pen.polygon([*ridge, (width, height), (0, height)], fill=color)
        _lines(pen, ridge, palette, color, gap=height * 0.82 / bands / (1 + detail), short=short)
    return image


def _lines(
    pen: ImageDraw.ImageDraw, ridge: list[tuple[float, float]], palette: Palette,
    color: tuple[int, int, int], *, gap: float, short: int,
) -> None:  # fmt: skip
    """Echo a ridge in fine lines below it, each fainter than the one above."""
    for number in range(3):
        shade = mix(palette.light, color, 0.45 + 0.18 * number)
        line = [(x, y + gap * number) for x, y in ridge]
        pen.line(line, fill=shade, width=max(2, round(short * 0.0017)), joint="curve")
