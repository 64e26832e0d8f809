"""From a prompt and a seed to a finished image."""

import hashlib
import re
from dataclasses import dataclass
from random import Random

from PIL import Image

from jobs.providers.local.sketching import blocks, caption, hills, orbits, palettes, waves
from jobs.providers.local.sketching.canvas import OVERSAMPLING, add_grain

STYLES = {
    "hills": hills.draw,
    "waves": waves.draw,
    "orbits": orbits.draw,
    "blocks": blocks.draw,
}
AUTO = "auto"

_KEYWORDS = {
    "hills": "hill mountain landscape valley forest tree bird desert horizon view cabin",
    "waves": "sea ocean wave water river flow wind map canyon dune cloud silk",
    "orbits": "space star planet moon galaxy cosmos orbit atom astronaut sun clock music",
    "blocks": "pattern tile quilt geometric abstract logo icon poster city building robot bauhaus",
}
_STYLE_BY_WORD = {word: name for name, words in _KEYWORDS.items() for word in words.split()}


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """What to draw. `number` tells the images of one request apart; `grain` is 0 to 1."""

    prompt: str
    seed: int
    number: int
    size: tuple[int, int]
    style: str = AUTO
    palette: str = AUTO
    grain: float = 0.15
    has_caption: bool = True


def draw(sketch: Sketch) -> Image.Image:
    """Draw it: the same sketch, the same image, on every machine."""
    random = make_random(sketch.prompt, sketch.seed, sketch.number)
    words = re.findall(r"[^\W\d_]+", sketch.prompt.lower())
    style = sketch.style if sketch.style != AUTO else _choose_style(words, random)
    name = sketch.palette if sketch.palette != AUTO else palettes.choose(words, random)
    palette = palettes.PALETTES[name]
    size = caption.art_size(sketch.size) if sketch.has_caption else sketch.size
    large = (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING)
    art = STYLES[style](large, palette, random, random.randint(2, 4))
    art = add_grain(art.reduce(OVERSAMPLING), random, strength=sketch.grain)
    if not sketch.has_caption:
        return art
    note = f"seed {sketch.seed}" + (f" · {sketch.number + 1}" if sketch.number else "")
    return caption.add_frame(art, sketch.size, palette, sketch.prompt, note)


def make_random(prompt: str, seed: int, number: int) -> Random:
    """Return the random numbers of this prompt, this seed and the request's nth image."""
    text = f"{prompt}\0{seed}\0{number}"
    return Random(hashlib.sha256(text.encode()).digest())  # noqa: S311 - for images


def _choose_style(words: list[str], random: Random) -> str:
    for word in words:
        style = _STYLE_BY_WORD.get(word) or _STYLE_BY_WORD.get(word.removesuffix("s"))
        if style:
            return style
    return random.choice(sorted(STYLES))
