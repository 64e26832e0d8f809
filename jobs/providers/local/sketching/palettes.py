"""The colors: named palettes, and the words of a prompt that call for one."""

from dataclasses import dataclass
from random import Random

RGB = tuple[int, int, int]


def rgb(code: str) -> RGB:
    """Read `#rrggbb`."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """Return the color that lies `share` of the way from the first to the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


@dataclass(frozen=True)
class Palette:
    """Colors that go together.

    `sky` runs from the zenith to the horizon, `tones` from far and pale to near and deep;
    `light` is for sun, moon and highlights; `accent` is used sparingly.
    """

    sky: tuple[RGB, RGB, RGB]
    tones: tuple[RGB, ...]
    light: RGB
    accent: RGB
    paper: RGB
    ink: RGB


def _palette(sky: str, tones: str, others: str) -> Palette:
    top, middle, low = (rgb(code) for code in sky.split())
    light, accent, paper, ink = (rgb(code) for code in others.split())
    return Palette(
        sky=(top, middle, low),
        tones=tuple(rgb(code) for code in tones.split()),
        light=light,
        accent=accent,
        paper=paper,
        ink=ink,
    )


PALETTES: dict[str, Palette] = {
    "dawn": _palette(
        "#5b6c9e #d99a9b #fbdcb4",
        "#d8a6a3 #b67f8e #8b6180 #5d476b #372f51",
        "#fff3d6 #e9654b #faf4ea #3a2f45",
    ),
    "harbor": _palette(
        "#12557a #5fb0bd #d9efe2",
        "#a5d3cf #66aeb6 #337f95 #1a5a76 #0f3a55",
        "#fdfbe9 #f2805c #f6f7f2 #123347",
    ),
    "forest": _palette(
        "#2f6b66 #8fbf9a #eef0c8",
        "#b5cfa4 #7fae86 #4e8668 #2f5f4f #1c3d38",
        "#fff8da #e0952f #f7f5ea #1f3833",
    ),
    "ember": _palette(
        "#3c1f3f #b8434b #f9b25f",
        "#dd7d55 #b44c4a #833246 #54223d #2d1630",
        "#ffe9b8 #ffd166 #fbf1e4 #3a1a30",
    ),
    "dusk": _palette(
        "#0b1230 #25346b #6d77b3",
        "#5a67a6 #414d8b #2c376e #1c2550 #101736",
        "#f6f1dc #f4c95d #f1f0ec #171d3d",
    ),
    "meadow": _palette(
        "#4f9bc4 #a9d6de #fdf3cf",
        "#cfdc8f #a3c56c #74a455 #4b7f49 #2e5a3e",
        "#fffbe3 #ef6f6c #fbf8ee #2b4738",
    ),
    "ink": _palette(
        "#50545a #a3a7ab #eceae5",
        "#bfc0c0 #93969a #686c72 #43474d #24272c",
        "#fffdf6 #c8553d #f6f4ef #26282c",
    ),
}

_KEYWORDS = {
    "dusk": "night star moon space galaxy owl neon midnight cosmos planet astronaut dark",
    "ember": "fire sunset autumn red desert lava fox coffee warm copper dragon ember candle",
    "dawn": "dawn morning sunrise pink rose blossom peach pastel soft dream",
    "ink": "ink sketch pencil monochrome black minimal fog stone concrete newspaper",
    "harbor": "sea ocean water wave lake river blue fish boat sail whale coast ice winter snow",
    "forest": "forest wood tree moss fern jungle deer pine leaf tea green",
    "meadow": "spring meadow field flower garden grass summer bee picnic farm sun",
}


def choose(words: list[str], random: Random) -> str:
    """Name the palette that the words call for, the time of day before the place, else any."""
    called = {form for word in words for form in (word, word.removesuffix("s"))}
    named = (name for name, calls in _KEYWORDS.items() if called & set(calls.split()))
    return next(named, None) or random.choice(sorted(PALETTES))
