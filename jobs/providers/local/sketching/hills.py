"""Ranges of hills that fade into the air, a sun or moon above them, birds or stars."""

from random import Random

from PIL import Image, ImageDraw, ImageOps

from jobs.providers.local.sketching.canvas import Waves, disc, glow, gradient
from jobs.providers.local.sketching.palettes import Palette, mix

STEPS = 160


def draw(size: tuple[int, int], palette: Palette, random: Random, detail: int) -> Image.Image:
    """Draw the landscape; `detail` 1 to 5 adds ranges and trees."""
    image = gradient(size, palette.sky)
    short = min(size)
    horizon = size[1] * random.uniform(0.5, 0.62)
    pen = ImageDraw.Draw(image)
    is_night = sum(palette.sky[0]) < 150
    if is_night:
        _stars(pen, size, palette, random, horizon=horizon)
    _light(image, palette, random, horizon=horizon, short=short)
    if not is_night:
        _birds(pen, size, palette, random, horizon=horizon)
    ranges = 3 + detail
    for number in range(ranges):
        near = number / (ranges - 1)
        _range(pen, size, palette, random, near=near, horizon=horizon, trees=detail > 1)
        if number < ranges - 2:
            _mist(image, palette, y=horizon + (size[1] - horizon) * (near * 0.9 + 0.16))
    return image


def _light(
    image: Image.Image, palette: Palette, random: Random, *, horizon: float, short: int
) -> None:
    x = image.width * random.choice([random.uniform(0.2, 0.38), random.uniform(0.62, 0.8)])
    y = horizon * random.uniform(0.35, 0.8)
    radius = short * random.uniform(0.07, 0.11)
    glow(image, (x, y), radius * 5.5, palette.light)
    disc(ImageDraw.Draw(image), x, y, radius, palette.light)


def _stars(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], palette: Palette, random: Random, *,
    horizon: float,
) -> None:  # fmt: skip
    for _ in range(170):
        y = horizon * random.random() ** 1.3
        radius = min(size) * random.choice([0.0008, 0.0011, 0.0011, 0.002])
        shade = mix(palette.sky[1], palette.light, random.uniform(0.35, 1))
        disc(pen, random.uniform(0, size[0]), y, radius, shade)


def _birds(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], palette: Palette, random: Random, *,
    horizon: float,
) -> None:  # fmt: skip
    x, y = size[0] * random.uniform(0.3, 0.7), horizon * random.uniform(0.25, 0.55)
    for _ in range(random.randint(3, 6)):
        span = min(size) * random.uniform(0.009, 0.016)
        width = max(2, round(span / 6))
        for side in (-1, 1):
            left = x + (0 if side > 0 else -2 * span)
            box = (left, y - span * 0.55, left + 2 * span, y + span * 1.2)
            pen.arc(box, 200, 340, fill=palette.ink, width=width)
        x += span * random.uniform(3, 6)
        y += span * random.uniform(-3.2, 3.2)


def _range(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], palette: Palette, random: Random, *,
    near: float, horizon: float, trees: bool,
) -> None:  # fmt: skip
    width, height = size
    base = horizon + (height - horizon) * (near**1.15 * 0.82)
    lift = height * (0.1 - 0.045 * near)
    ridge = Waves(random, count=5, slowest=random.uniform(0.6, 1.3), roughness=0.48)
    color = _tone(palette, near)
    points = [
        (width * step / STEPS, base - lift * ridge.at(step / STEPS)) for step in range(STEPS + 1)
    ]
    if trees and 0.3 < near < 0.98:
        _trees(pen, points, mix(color, palette.tones[-1], 0.25), random, near=near, height=height)
    pen.polygon([*points, (width, height), (0, height)], fill=color)


def _tone(palette: Palette, near: float) -> tuple[int, int, int]:
    place = near * (len(palette.tones) - 1)
    number = min(int(place), len(palette.tones) - 2)
    return mix(palette.tones[number], palette.tones[number + 1], place - number)


def _trees(
    pen: ImageDraw.ImageDraw, ridge: list[tuple[float, float]], color: tuple[int, int, int],
    random: Random, *, near: float, height: int,
) -> None:  # fmt: skip
    for _ in range(random.randint(2, 4)):
        start = random.randrange(len(ridge))
        for x, y in ridge[start : start + random.randint(3, 12)]:
            if random.random() < 0.25:
                continue
            tall = height * (0.012 + 0.03 * near) * random.uniform(0.6, 1.3)
            middle = x + random.uniform(-tall, tall) * 0.3
            for part in range(3):
                top = y - tall * (1 - part * 0.24)
                half, low = tall * (0.13 + 0.075 * part), top + tall * 0.5
                pen.polygon([(middle, top), (middle - half, low), (middle + half, low)], color)


def _mist(image: Image.Image, palette: Palette, *, y: float) -> None:
    """Draw a veil that thickens towards `y` and is gone a little below."""
    rising = max(2, round(image.height * 0.16))
    ramp = Image.linear_gradient("L")
    veil = Image.new("L", (image.width, 2 * rising))
    veil.paste(ramp.resize((image.width, rising)), (0, 0))
    veil.paste(ImageOps.flip(ramp).resize((image.width, rising)), (0, rising))
    veil = veil.point([round(v * v / 255 * 0.34) for v in range(256)])
    image.paste(palette.sky[2], (0, round(y) - rising), veil)
