"""Small images for a history: most alike no other, and a few that checks are there to find."""

import io
from enum import Enum
from functools import cache

from PIL import Image

from jobs.images.formats import MIME_TYPE_BY_OUTPUT_FORMAT
from jobs.providers.interface import Output, ProviderRequest
from jobs.providers.local.sketching.sketch import Sketch, draw
from jobs.providers.temp_files import open_spool

_SCALE = 4  # drawn that much smaller than planned: drawing and coding take most of the time
_COLORS = 128
_FREE_SIZE = (384, 256)
_UPLOAD_SIZE = (400, 300)
_GRAY = (201, 196, 190)


class Kind(Enum):
    """What the provider delivers."""

    GOOD = "as planned"
    PLAIN = "as planned, and the same again and again"
    FLAT = "one flat color"
    SMALL = "another size than planned"
    CUT = "cut short, so that it can't be opened"


def output(request: ProviderRequest, *, kind: Kind, seed: int) -> Output:
    """Return an output for a request; words and seed decide what is drawn."""
    name = request.output_format or "png"
    content = _content(request, kind, seed, name)
    file = open_spool()
    file.write(content)
    file.seek(0)
    return Output(
        file=file, mime_type=MIME_TYPE_BY_OUTPUT_FORMAT[name], content_length=len(content)
    )


def _content(request: ProviderRequest, kind: Kind, seed: int, name: str) -> bytes:
    size = request.size or _FREE_SIZE
    match kind:
        case Kind.FLAT:
            return _encoded(Image.new("RGB", size, _GRAY), name)
        case Kind.SMALL:
            size = (size[0] // 2, size[1] // 2)
        case Kind.PLAIN | Kind.CUT:
            whole = _shared(size, name)
            return whole if kind is Kind.PLAIN else whole[: len(whole) // 3]
    return _encoded(_drawn(request.prompt, seed, size), name)


@cache
def _shared(size: tuple[int, int], name: str) -> bytes:
    return _encoded(_drawn("a path through dunes", 7, size), name)


def upload(words: str, seed: int) -> bytes:
    """Return an image that an agent sends, as PNG."""
    return _encoded(_drawn(words, seed, _UPLOAD_SIZE), "png")


def _drawn(words: str, seed: int, size: tuple[int, int]) -> Image.Image:
    small = (size[0] // _SCALE, size[1] // _SCALE) if size[0] >= 1024 else size
    sketch = Sketch(prompt=words, seed=seed, number=0, size=small, grain=0.05, has_caption=False)
    return draw(sketch).quantize(_COLORS, Image.Quantize.FASTOCTREE).resize(size)


def _encoded(image: Image.Image, name: str) -> bytes:
    file = io.BytesIO()
    if name == "png":
        image.save(file, "PNG", compress_level=1)
    else:
        image.convert("RGB").save(file, name.upper(), quality=80)
    return file.getvalue()
