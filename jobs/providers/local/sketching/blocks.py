"""A quilt of quarter circles, arcs, leaves and dots, as on an old schoolbook's cover."""

from random import Random

from PIL import Image, ImageDraw

from jobs.providers.local.sketching.canvas import disc
from jobs.providers.local.sketching.palettes import RGB, Palette

CORNERS = ((0, 0, 0), (1, 0, 90), (1, 1, 180), (0, 1, 270))
"""Of a unit tile: x, y, and the angle at which a quarter circle around it begins."""


def draw(size: tuple[int, int], palette: Palette, random: Random, detail: int) -> Image.Image:
    """Draw the quilt; `detail` 1 to 5 makes its tiles smaller."""
    image = Image.new("RGB", size, palette.paper)
    pen = ImageDraw.Draw(image)
    across = 3 + detail
    side = min(size) / across
    columns, rows = (max(1, round(length / side)) for length in size)
    width, height = size[0] / columns, size[1] / rows
    colors = [*palette.tones, palette.sky[1], palette.sky[2], palette.light, palette.accent]
    last: RGB | None = None
    for row in range(rows):
        for column in range(columns):
            ground, shape, spot = _choose_three(colors, random, unlike=last)
            last = ground
            box = (column * width, row * height, (column + 1) * width, (row + 1) * height)
            pen.rectangle(box, fill=ground)
            random.choice(_SHAPES)(pen, box, (ground, shape, spot), random)
    return image


def _choose_three(colors: list[RGB], random: Random, *, unlike: RGB | None) -> tuple[RGB, RGB, RGB]:
    """Choose three colors that can be told apart, the first unlike the neighbor's."""
    while True:
        ground, shape, spot = random.sample(colors, 3)
        if ground != unlike and _contrast(ground, shape) > 110 and _contrast(shape, spot) > 80:
            return ground, shape, spot


def _contrast(first: RGB, second: RGB) -> int:
    return sum(abs(a - b) for a, b in zip(first, second, strict=True))


Rect = tuple[float, float, float, float]
Colors = tuple[RGB, RGB, RGB]


def _quarter(pen: ImageDraw.ImageDraw, box: Rect, colors: Colors, random: Random) -> None:
    _rings(pen, box, colors[1:2], random)


def _arcs(pen: ImageDraw.ImageDraw, box: Rect, colors: Colors, random: Random) -> None:
    ground, shape, spot = colors
    _rings(pen, box, (shape, ground, spot, ground), random)


def _rings(pen: ImageDraw.ImageDraw, box: Rect, colors: tuple[RGB, ...], random: Random) -> None:
    left, top, right, bottom = box
    x, y, start = random.choice(CORNERS)
    for number, color in enumerate(colors):
        share = 1 - number / len(colors)
        wide, high = (right - left) * share, (bottom - top) * share
        cx, cy = left + x * (right - left), top + y * (bottom - top)
        pen.pieslice((cx - wide, cy - high, cx + wide, cy + high), start, start + 90, fill=color)


def _leaf(pen: ImageDraw.ImageDraw, box: Rect, colors: Colors, random: Random) -> None:
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    if random.random() < 0.5:
        pen.chord((left - wide, top, right, bottom + high), 270, 360, fill=colors[1])
        pen.chord((left, top - high, right + wide, bottom), 90, 180, fill=colors[1])
    else:
        pen.chord((left, top, right + wide, bottom + high), 180, 270, fill=colors[1])
        pen.chord((left - wide, top - high, right, bottom), 0, 90, fill=colors[1])


def _half(pen: ImageDraw.ImageDraw, box: Rect, colors: Colors, random: Random) -> None:
    left, top, right, bottom = box
    turn = random.choice([0, 90, 180, 270])
    pen.pieslice(box, turn, turn + 180, fill=colors[1])
    disc(pen, (left + right) / 2, (top + bottom) / 2, (right - left) * 0.17, colors[2])


def _eye(pen: ImageDraw.ImageDraw, box: Rect, colors: Colors, random: Random) -> None:
    left, top, right, bottom = box
    x, y, side = (left + right) / 2, (top + bottom) / 2, min(right - left, bottom - top)
    disc(pen, x, y, side * 0.4, colors[1])
    disc(pen, x, y, side * random.choice([0.1, 0.2, 0.27]), colors[2])


def _slope(pen: ImageDraw.ImageDraw, box: Rect, colors: Colors, random: Random) -> None:
    left, top, right, bottom = box
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    corners.pop(random.randrange(4))
    pen.polygon(corners, fill=colors[1])


_SHAPES = (_quarter, _quarter, _arcs, _arcs, _leaf, _leaf, _half, _eye, _slope)
