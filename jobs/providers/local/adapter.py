"""The provider that needs no key: a renderer of our own, honest about being one.

`local.sketch` draws from the prompt, seed and aspect ratio at a price that is known beforehand;
`local.sketch-remix` draws a given image again and is priced afterwards, by its pixels.
"""

import zlib
from collections.abc import Mapping
from contextlib import ExitStack
from decimal import Decimal
from typing import Any, ClassVar

from PIL import Image, ImageOps, PngImagePlugin

from jobs.images import formats
from jobs.providers import refusals
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
PngImagePlugin.MAX_TEXT_CHUNK = formats.MAX_PROFILE_BYTES  # as where the image was admitted


class LocalSketch:
    """Draws in the calling process, in a tenth of a second an image."""

    name: ClassVar[str] = "local"

    def submit(self, request: ProviderRequest) -> Submission | ProviderResult:
        """Draw the images and return them at once."""
        if request.operation == "image.edit":
            return self._draw_remix(request)
        drawn = tuple(
            _encode(sketch.draw(_sketch(request, number)), request)
            for number in range(request.output_count)
        )
        return ProviderResult(outputs=drawn, usage={"images": len(drawn)})

    def poll(self, submission: Submission, request: ProviderRequest) -> ProviderResult | None:
        """Raise: there is nothing to collect, as `submit` returns the result."""
        raise ProviderError(BROKEN_RUN, reason="nothing_to_collect")

    def cancel(self, submission: Submission) -> Cancellation:
        """Return that it is too late: `submit` returns the result."""
        return "too_late"

    def _draw_remix(self, request: ProviderRequest) -> ProviderResult:
        source = _open_image(request.inputs[0])
        drawn = _encode(remix.draw(source, _remix(request, source.size)), request)
        megapixels = Decimal(source.width * source.height) / MEGAPIXEL
        return ProviderResult(
            outputs=(drawn,),
            cost_usd=megapixels * request.token_rates_usd["megapixel"],
            usage={"megapixel": str(megapixels)},
        )


def _sketch(request: ProviderRequest, number: int) -> sketch.Sketch:
    parameters: Mapping[str, Any] = request.parameters
    return sketch.Sketch(
        prompt=request.prompt,
        seed=_seed(request),
        number=number,
        size=_size(request),
        style=parameters.get("style", sketch.AUTO),
        palette=parameters.get("palette", sketch.AUTO),
        grain=parameters.get("grain", 0.15),
        has_caption=parameters.get("caption", True),
    )


def _remix(request: ProviderRequest, size: tuple[int, int]) -> remix.Remix:
    parameters: Mapping[str, Any] = request.parameters
    return remix.Remix(
        prompt=request.prompt,
        seed=_seed(request),
        size=size,
        effect=parameters.get("effect", sketch.AUTO),
        palette=parameters.get("palette", sketch.AUTO),
        strength=parameters.get("strength", 0.6),
    )


def _seed(request: ProviderRequest) -> int:
    """Return the caller's seed, else one that follows from the prompt."""
    seed = request.parameters.get("seed")
    return seed if isinstance(seed, int) else zlib.crc32(request.prompt.encode()) % 10_000


def _size(request: ProviderRequest) -> tuple[int, int]:
    named = request.parameters.get("size") or request.model.aspect_ratio.values.get(
        request.aspect_ratio
    )
    if not named:
        return request.size or (1024, 1024)
    width, _, height = str(named).partition("x")
    return int(width), int(height)


def _open_image(source: InputImage) -> Image.Image:
    """Open an image that was decoded once already, when it was stored, at a size to work on."""
    shortest, longest = REMIX_EDGE_PX
    try:
        with ExitStack() as opened, Image.open(source.open_in(opened)) as image:
            image.draft("RGB", (longest, longest))
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((longest, longest))
            ready = upright.convert("RGBA")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ProviderError(PERMANENT, reason="input_unreadable", refusal=refusals.IMAGE) from error
    if max(ready.size) < shortest:
        return ImageOps.contain(ready, (shortest, shortest))
    return ready


def _encode(image: Image.Image, request: ProviderRequest) -> Output:
    kind = str(request.parameters.get("output_format") or request.output_format or "png")
    file = open_spool()
    options: dict[str, Any] = {"png": {"compress_level": 4}}.get(kind, {"quality": 90})
    image.save(file, kind.upper(), **options)
    content_length = file.tell()
    file.seek(0)
    mime_type = formats.MIME_TYPE_BY_OUTPUT_FORMAT[kind]
    return Output(file=file, mime_type=mime_type, content_length=content_length)
