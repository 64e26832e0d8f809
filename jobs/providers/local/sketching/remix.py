"""A given image, drawn again: in other colors, flat inks, print dots, stones or outlines."""

import re
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from jobs.providers.local.sketching import palettes
from jobs.providers.local.sketching.canvas import OVERSAMPLING, add_grain, disc
from jobs.providers.local.sketching.palettes import Palette, mix
from jobs.providers.local.sketching.sketch import AUTO, make_random

MIN_OPACITY = 0.4
"""How much of the result shows at strength 0; from 0.6 on it is all of it, and gets bolder."""


@dataclass(frozen=True, kw_only=True)
class Remix:
    """What to make of an image. `strength` 0 to 1 is how far the result leaves it."""

    prompt: str
    seed: int
    size: tuple[int, int]
    effect: str = AUTO
    palette: str = AUTO
    strength: float = 0.6


def draw(source: Image.Image, remix: Remix) -> Image.Image:
    """Draw it: the same source and remix, the same image."""
    random = make_random(remix.prompt, remix.seed, 0)
    words = re.findall(r"[^\W\d_]+", remix.prompt.lower())
    effect = remix.effect if remix.effect != AUTO else _choose_effect(words, random)
    name = remix.palette if remix.palette != AUTO else palettes.choose(words, random)
    palette = palettes.PALETTES[name]
    plain = ImageOps.fit(_flatten(source, palette), remix.size, Image.Resampling.LANCZOS)
    drawn = EFFECTS[effect](plain, palette, round(5 - 4 * remix.strength))
    drawn = add_grain(drawn, random, strength=0.12)
    return Image.blend(plain, drawn, min(1.0, MIN_OPACITY + remix.strength))


def _flatten(source: Image.Image, palette: Palette) -> Image.Image:
    """Put transparent images on paper."""
    rgba = source.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, palette.paper), rgba).convert("RGB")


def _choose_effect(words: list[str], random: Random) -> str:
    called = {form for word in words for form in (word, word.removesuffix("s"))}
    named = (name for name, calls in _KEYWORDS.items() if called & set(calls.split()))
    return next(named, None) or random.choice(sorted(EFFECTS))


def _recolor(plain: Image.Image, palette: Palette, detail: int) -> Image.Image:
    """Map its lights and shades to the palette's colors."""
    gray = ImageOps.autocontrast(ImageOps.grayscale(plain), cutoff=1)
    middle = mix(palette.tones[1], palette.accent, 0.12 * (5 - detail))
    return ImageOps.colorize(gray, black=palette.tones[-1], mid=middle, white=palette.light)


def _inks(plain: Image.Image, palette: Palette, detail: int) -> Image.Image:
    """Print in a few flat inks."""
    gray = ImageOps.autocontrast(ImageOps.grayscale(plain), cutoff=1)
    flat = ImageOps.posterize(gray.filter(ImageFilter.MedianFilter(5)), min(6, detail + 1))
    middle = mix(palette.tones[1], palette.accent, 0.25)
    return ImageOps.colorize(flat, black=palette.ink, white=palette.light, mid=middle)


def _dots(plain: Image.Image, palette: Palette, detail: int) -> Image.Image:
    """Print in dots whose size follows the shade."""
    pitch = max(4, round(min(plain.size) / (28 + 18 * detail)))
    gray = ImageOps.autocontrast(ImageOps.grayscale(plain), cutoff=1)
    columns, rows = (-(-length // pitch) + 1 for length in plain.size)
    shades = gray.resize((columns, rows), Image.Resampling.BOX).tobytes()
    colors = plain.resize((columns, rows), Image.Resampling.BOX).tobytes()
    scale = pitch * OVERSAMPLING
    large = Image.new("RGB", (columns * scale, rows * scale), palette.paper)
    pen = ImageDraw.Draw(large)
    ink = mix(palette.tones[-1], palette.accent, 0.15)
    for row in range(rows):
        for column in range(columns):
            place = row * columns + column
            dark = 1 - shades[place] / 255
            red, green, blue = colors[place * 3 : place * 3 + 3]
            tint = mix(ink, (red, green, blue), 0.45)
            x = (column + (0.5 if row % 2 else 0)) * scale
            disc(pen, x, (row + 0.5) * scale, scale * 0.66 * dark**0.5, tint)
    return large.reduce(OVERSAMPLING).crop((0, 0, *plain.size))


def _mosaic(plain: Image.Image, palette: Palette, detail: int) -> Image.Image:
    """Redraw it in small stones with joints of the palette's paper."""
    pitch = max(6, round(min(plain.size) / (14 + 12 * detail)))
    columns, rows = (-(-length // pitch) for length in plain.size)
    stones = plain.resize((columns, rows), Image.Resampling.BOX)
    stones = ImageOps.posterize(ImageOps.autocontrast(stones, cutoff=1), 5)
    tinted = Image.blend(stones, Image.new("RGB", stones.size, palette.tones[1]), 0.12)
    laid = tinted.resize((columns * pitch, rows * pitch), Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(laid)
    joint = max(1, pitch // 12)
    for column in range(columns + 1):
        pen.line([(column * pitch, 0), (column * pitch, laid.height)], palette.paper, joint)
    for row in range(rows + 1):
        pen.line([(0, row * pitch), (laid.width, row * pitch)], palette.paper, joint)
    return laid.crop((0, 0, *plain.size))


def _outline(plain: Image.Image, palette: Palette, detail: int) -> Image.Image:
    """Draw the outlines in ink over a pale wash of the colors."""
    soft = plain.filter(ImageFilter.GaussianBlur(2.6 - detail * 0.4))
    gray = ImageOps.grayscale(soft)
    blurred = gray.filter(ImageFilter.GaussianBlur(9 - detail))
    lines = ImageChops.subtract(blurred, gray, 1, 0).point([min(255, v * 7) for v in range(256)])
    wash = ImageOps.posterize(soft.filter(ImageFilter.MedianFilter(5)), 4)
    wash = Image.blend(wash, Image.new("RGB", wash.size, palette.paper), 0.55)
    wash.paste(palette.ink, (0, 0), lines)
    return wash


EFFECTS = {
    "recolor": _recolor,
    "posterize": _inks,
    "halftone": _dots,
    "mosaic": _mosaic,
    "outline": _outline,
}

_KEYWORDS = {
    "halftone": "dot halftone comic newspaper pop print",
    "mosaic": "mosaic tile pixel stone stained glass",
    "outline": "pen ink line outline drawing sketch pencil watercolor watercolour",
    "posterize": "poster screenprint silkscreen flat stencil riso cartoon",
    "recolor": "color color tint tone warm cool light mood sunset night duotone",
}
