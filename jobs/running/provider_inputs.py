"""The images of a request as they leave: upright, and as the model takes them.

What is stored stays as it is; what has to be changed is written to files that live as long as the
call. Each image is looked at in the decoding process (ADR 11).
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from jobs.images import decoding
from jobs.planning import inputs
from jobs.providers import refusals
from jobs.providers.failures import PERMANENT, ProviderError
from jobs.providers.interface import INPUT, MASK, InputImage, ProviderRequest
from jobs.registry.entry import ImageRule

_CHUNK_BYTES = 1 << 20


@contextmanager
def prepared(request: ProviderRequest) -> Iterator[ProviderRequest]:
    """Return the request with images that its model takes, for as long as the call lasts.

    Raises `ProviderError` where an image can't be read or opened; nobody was called then.
    """
    if not (request.inputs or request.references or request.mask):
        yield request
        return
    with tempfile.TemporaryDirectory(prefix="inputs-") as folder:
        prepare = partial(_prepare, request, Path(folder))
        yield replace(
            request,
            inputs=_each(prepare, request.inputs),
            references=_each(prepare, request.references),
            mask=None if request.mask is None else prepare(request.mask),
        )


def _each(prepare: "partial[InputImage]", images: Sequence[InputImage]) -> tuple[InputImage, ...]:
    return tuple(prepare(image) for image in images)


def _prepare(request: ProviderRequest, folder: Path, image: InputImage) -> InputImage:
    rule = _rule(request, image)
    path = folder / os.urandom(8).hex()
    with ExitStack() as opened, tempfile.TemporaryFile() as copy, path.open("w+b") as target:
        stored = image.open_in(opened)
        while chunk := stored.read(_CHUNK_BYTES):
            copy.write(chunk)
        try:
            found = decoding.convert(
                cast("BinaryIO", copy),
                target,
                accepts=rule.mime_types,
                max_bytes=rule.max_bytes or 0,
            )
        except decoding.UndecodableImage as error:
            name = refusals.MASK if image.role == MASK else refusals.IMAGE
            raise ProviderError(PERMANENT, reason="input_unreadable", refusal=name) from error
    if not found.is_converted:
        return image
    return replace(
        image,
        open=lambda: path.open("rb"),
        mime_type=found.mime_type,
        content_length=path.stat().st_size,
    )


def _rule(request: ProviderRequest, image: InputImage) -> ImageRule:
    rules = {INPUT: request.model.input_image, MASK: request.model.mask}
    return rules.get(image.role) or inputs.REFERENCE_RULE
