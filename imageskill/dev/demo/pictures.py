"""Real small images for a made-up history, a few dozen that many assets share."""

import io
import tempfile
from dataclasses import dataclass, field, replace
from typing import BinaryIO, cast

from PIL import Image

from imageskill.dev.demo.dice import Dice
from jobs.assets import storage, thumbnails
from jobs.images import decoding
from jobs.providers.local.sketching.sketch import Sketch, draw

_SIZES = {
    "1:1": (320, 320),
    "3:2": (384, 256),
    "2:3": (256, 384),
    "16:9": (400, 224),
}
_SUBJECTS = (
    "a fox in a birch forest at dawn",
    "harbor with small boats and gulls",
    "a logo of a paper crane",
    "sea cliffs under a low sun",
    "an astronaut reading on the moon",
    "tiles of lemon and leaf",
    "mountain cabin in deep snow",
    "a city of glass towers in the rain",
    "clock made of planets",
    "silk in the wind, studio light",
    "a river canyon seen from above",
    "poster for a jazz night",
    "robot watering a bonsai",
    "hero image of a running shoe",
    "desert with a single tree",
    "pattern of geometric birds",
)
_MOODS = ("", ", flat colors", ", at dusk", ", in ink", ", wide view", ", soft light")


@dataclass(frozen=True, slots=True)
class Tile:
    """A stored image with its thumbnail, and what a check would say of it."""

    prompt: str
    ratio: str
    size: tuple[int, int]
    storage_key: str
    content_length: int
    sha256: str
    decodes: bool = False
    thumbnail_key: str = ""
    difference_hash: str = ""
    bands: list[int] = field(default_factory=list)
    is_blank: bool = False


def paint(dice: Dice, count: int) -> list[Tile]:
    """Draw and store images of all shapes."""
    return [_paint(dice, number) for number in range(count)]


def spoil(dice: Dice, good: Tile) -> list[Tile]:
    """Store what checks are there to find: one flat color, and an image cut short."""
    flat = io.BytesIO()
    Image.new("RGB", good.size, (201, 196, 190)).save(flat, "PNG")
    with storage.open_asset(good.storage_key) as stored:
        whole = stored.read()
    return [
        _store(dice, good.prompt, good.ratio, good.size, flat.getvalue()),
        _store(dice, good.prompt, good.ratio, good.size, whole[: len(whole) // 3]),
    ]


def copy(tile: Tile, public_id: str) -> Tile:
    """Store a tile's bytes once more, for an asset that shares them with nobody."""
    own = replace(
        tile,
        storage_key=storage.asset_key(public_id, "png"),
        thumbnail_key=storage.thumbnail_key(public_id),
    )
    for source, target in (
        (tile.storage_key, own.storage_key),
        (tile.thumbnail_key, own.thumbnail_key),
    ):
        with storage.open_asset(source) as file:
            storage.write(target, file)
    return own


def keep(tile: Tile, job_id: str) -> str:
    """Keep a tile's bytes as the output of a job that waits for storage; gives the key."""
    key = storage.staging_key(job_id, 0)
    with storage.open_asset(tile.storage_key) as file:
        storage.stage(key, file)
    return key


def _paint(dice: Dice, number: int) -> Tile:
    ratio = dice.choice(list(_SIZES))
    prompt = dice.choice(_SUBJECTS) + dice.choice(_MOODS)
    sketch = Sketch(
        prompt=prompt,
        seed=dice.getrandbits(16),
        number=number,
        size=_SIZES[ratio],
        grain=0.05,
        has_caption=False,
    )
    drawn = io.BytesIO()
    draw(sketch).save(drawn, "PNG")
    return _store(dice, prompt, ratio, _SIZES[ratio], drawn.getvalue())


def _store(dice: Dice, prompt: str, ratio: str, size: tuple[int, int], content: bytes) -> Tile:
    name = dice.public_id("asset")
    storage_key, thumbnail_key = storage.asset_key(name, "png"), storage.thumbnail_key(name)
    with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as thumbnail:
        picture, small = cast("BinaryIO", file), cast("BinaryIO", thumbnail)
        picture.write(content)
        facts = storage.measure(picture)
        storage.write(storage_key, picture)
        tile = Tile(prompt, ratio, size, storage_key, facts.content_length, facts.sha256)
        try:
            glance = decoding.make_thumbnail(picture, small)
        except decoding.UndecodableImage:
            return tile
        storage.write(thumbnail_key, small)
    return replace(
        tile,
        decodes=True,
        thumbnail_key=thumbnail_key,
        difference_hash=f"{glance.difference_hash:016x}",
        bands=thumbnails.hash_bands(glance.difference_hash),
        is_blank=glance.is_blank,
    )
