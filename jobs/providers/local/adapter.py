"""The provider that needs no key: a renderer of our own, honest about being one.

`local.sketch` draws from words, seed and aspect ratio at a price that is known beforehand;
`local.sketch-remix` draws a given image again and is priced afterwards, by its pixels.
"""

import zlib
from collections.abc import Mapping
from contextlib import ExitStack
from decimal import Decimal
from typing import Any, ClassVar

from PIL import Image, ImageOps

from jobs.images import formats
from jobs.providers.failures import BROKEN_RUN, PERMANENT, ProviderError
from jobs.providers.interface import (
    Cancellation,
    InputImage,
    Output,
    ProviderRequest,
    ProviderResult,
    Submission,
)
from jobs.providers.local.sketching import remix, sketch
from jobs.providers.temp_files import open_spool

MEGAPIXEL = 1024 * 1024
REMIX_EDGE_PX = (512, 2048)


class LocalSketch:
    """Draws in the calling process, in a tenth of a second an image."""

    name: ClassVar[str] = "local"

    def submit(self, order: ProviderRequest) -> Submission | ProviderResult:
        """Draw the images and give them at once."""
        if order.operation == "image.edit":
            return self._remixed(order)
        drawn = tuple(
            _encode(sketch.draw(_sketch(order, number)), order)
            for number in range(order.output_count)
        )
        return ProviderResult(outputs=drawn, usage={"pictures": len(drawn)})

    def look(self, submission: Submission, order: ProviderRequest) -> ProviderResult | None:
        """Never comes to it: `submit` gives the outcome."""
        raise ProviderError(BROKEN_RUN, reason="nothing_to_collect")

    def cancel(self, submission: Submission) -> Cancellation:
        """Never comes to it: `submit` gives the outcome."""
        return "too_late"

    def _remixed(self, order: ProviderRequest) -> ProviderResult:
        source = _open_image(order.inputs[0])
        drawn = _encode(remix.draw(source, _remix(order, source.size)), order)
        megapixels = Decimal(source.width * source.height) / MEGAPIXEL
        return ProviderResult(
            outputs=(drawn,),
            cost_usd=megapixels * order.token_rates_usd["megapixel"],
            usage={"megapixel": str(megapixels)},
        )


def _sketch(order: ProviderRequest, number: int) -> sketch.Sketch:
    asked: Mapping[str, Any] = order.parameters
    return sketch.Sketch(
        prompt=order.prompt,
        seed=_seed(order),
        number=number,
        size=_size(order),
        style=asked.get("style", sketch.AUTO),
        palette=asked.get("palette", sketch.AUTO),
        grain=asked.get("grain", 0.15),
        has_caption=asked.get("caption", True),
    )


def _remix(order: ProviderRequest, size: tuple[int, int]) -> remix.Remix:
    asked: Mapping[str, Any] = order.parameters
    return remix.Remix(
        prompt=order.prompt,
        seed=_seed(order),
        size=size,
        effect=asked.get("effect", sketch.AUTO),
        palette=asked.get("palette", sketch.AUTO),
        strength=asked.get("strength", 0.6),
    )


def _seed(order: ProviderRequest) -> int:
    """Take the caller's seed, else one that the words decide."""
    asked = order.parameters.get("seed")
    return asked if isinstance(asked, int) else zlib.crc32(order.prompt.encode()) % 10_000


def _size(order: ProviderRequest) -> tuple[int, int]:
    asked = order.parameters.get("size") or order.model.aspect_ratio.values.get(order.aspect_ratio)
    if not asked:
        return order.size or (1024, 1024)
    width, _, height = str(asked).partition("x")
    return int(width), int(height)


def _open_image(picture: InputImage) -> Image.Image:
    """Open an image that was decoded once already, when it was stored, at a size to work on."""
    shortest, longest = REMIX_EDGE_PX
    try:
        with ExitStack() as opened, Image.open(picture.open_in(opened)) as image:
            image.draft("RGB", (longest, longest))
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((longest, longest))
            ready = upright.convert("RGBA")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ProviderError(PERMANENT, reason="input_unreadable") from error
    if max(ready.size) < shortest:
        return ImageOps.contain(ready, (shortest, shortest))
    return ready


def _encode(picture: Image.Image, order: ProviderRequest) -> Output:
    kind = str(order.parameters.get("output_format") or order.output_format or "png")
    file = open_spool()
    options: dict[str, Any] = {"png": {"compress_level": 4}}.get(kind, {"quality": 90})
    picture.save(file, kind.upper(), **options)
    content_length = file.tell()
    file.seek(0)
    mime_type = formats.MIME_TYPE_BY_OUTPUT_FORMAT[kind]
    return Output(file=file, mime_type=mime_type, content_length=content_length)
