"""The images of a request as they leave: upright, as the model takes them, and within its limits.

What is stored stays as it is; what has to be changed is written to files that live as long as the
call. Each image is looked at in the decoding process (ADR 11).
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

from jobs.images import decoding
from jobs.images.decoding import ConvertedImage
from jobs.planning import inputs
from jobs.providers import refusals
from jobs.providers.failures import NOT_SENT, PERMANENT, ProviderError
from jobs.providers.interface import MASK, InputImage, ProviderRequest
from jobs.registry.entry import ImageRule

_CHUNK_BYTES = 1 << 20
_MASK_TRIES = 6

_Conversion = Callable[[BinaryIO, BinaryIO], ConvertedImage]


@contextmanager
def prepared(request: ProviderRequest) -> Iterator[ProviderRequest]:
    """Return the request with images that its model takes, for as long as the call lasts.

    Raises `ProviderError` where an image can't be read or opened; nobody was called then.
    """
    if not (request.inputs or request.references or request.mask):
        yield request
        return
    with tempfile.TemporaryDirectory(prefix="inputs-") as name:
        folder = Path(name)
        given, mask = _prepare_inputs(request, folder)
        yield replace(
            request,
            inputs=given,
            mask=mask,
            references=tuple(
                _prepare(image, folder, rule=inputs.REFERENCE_RULE) for image in request.references
            ),
        )


def _prepare_inputs(
    request: ProviderRequest, folder: Path
) -> tuple[tuple[InputImage, ...], InputImage | None]:
    """Prepare the inputs and the mask, which gets the size of the first, however that changes."""
    rule = request.model.input_image or inputs.REFERENCE_RULE
    max_pixels = rule.max_pixels
    for _ in range(_MASK_TRIES):
        given = tuple(
            _prepare(image, folder, rule=rule, max_pixels=max_pixels) for image in request.inputs
        )
        if request.mask is None:
            return given, None
        mask = _prepare_mask(request, folder, size=(given[0].width, given[0].height))
        if mask is not None:
            return given, mask
        max_pixels = given[0].width * given[0].height // 2
    raise ProviderError(PERMANENT, reason="mask_too_large", refusal=refusals.MASK)


def _prepare(
    image: InputImage, folder: Path, *, rule: ImageRule, max_pixels: int | None = None
) -> InputImage:
    def convert(file: BinaryIO, target: BinaryIO) -> ConvertedImage:
        return decoding.convert(
            file,
            target,
            accepts=rule.mime_types,
            max_pixels=max_pixels or rule.max_pixels,
            max_edge=rule.max_edge,
            max_bytes=rule.max_bytes or 0,
        )

    _, ready = _convert(image, folder, convert)
    return ready


def _prepare_mask(
    request: ProviderRequest, folder: Path, *, size: tuple[int, int]
) -> InputImage | None:
    """Prepare the mask; None where it has too many bytes at this size."""
    mask, rule = request.mask, request.model.mask
    if mask is None or rule is None:
        return mask

    def convert(file: BinaryIO, target: BinaryIO) -> ConvertedImage:
        return decoding.convert_mask(
            file,
            target,
            accepts=rule.mime_types,
            size=size,
            max_bytes=rule.max_bytes or 0,
            marks=rule.needs or "",
        )

    found, ready = _convert(mask, folder, convert)
    return ready if found.fits else None


def _convert(
    image: InputImage, folder: Path, convert: _Conversion
) -> tuple[ConvertedImage, InputImage]:
    """Convert a stored image into a file of the folder, where it can't be sent as it is."""
    path = folder / os.urandom(8).hex()
    with ExitStack() as opened, tempfile.TemporaryFile() as copy, path.open("w+b") as target:
        stored = image.open_in(opened)
        while chunk := stored.read(_CHUNK_BYTES):
            copy.write(chunk)
        try:
            found = convert(cast("BinaryIO", copy), target)
        except decoding.OutOfTime as error:  # it was opened before, so it may be again
            raise ProviderError(NOT_SENT, reason="input_not_converted") from error
        except decoding.UndecodableImage as error:
            name = refusals.MASK if image.role == MASK else refusals.IMAGE
            raise ProviderError(PERMANENT, reason="input_unreadable", refusal=name) from error
    shown = replace(image, width=found.width, height=found.height)
    if not found.is_converted:
        return found, shown
    return found, replace(
        shown,
        open=lambda: path.open("rb"),
        mime_type=found.mime_type,
        content_length=path.stat().st_size,
    )
