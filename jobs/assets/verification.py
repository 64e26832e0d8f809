"""Whether images are there as they were recorded: their bytes, by hash, and decoded."""

import random
import tempfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple, cast

from django.db.models import QuerySet

from jobs.assets import storage
from jobs.images import decoding
from jobs.models import Asset


class FileProblem(NamedTuple):
    """An image whose file is not what its row says."""

    asset: str
    message: str


def sample(size: int | None) -> Iterable[Asset]:
    """Return so many images, half of them the newest, the others by chance; all without a size.

    The newest, because they are what a copy that was made too early lacks.
    """
    stored = Asset.objects.exclude(state=Asset.State.DELETED).exclude(storage_key="")
    if size is None:
        return stored.order_by("pk").iterator(chunk_size=500)
    newest = list(stored.order_by("-pk")[: (size + 1) // 2])
    others = _by_chance(stored, size - len(newest), highest=newest[-1].pk if newest else 0)
    return [*newest, *others]


def find_problems(assets: Iterable[Asset]) -> Iterator[FileProblem]:
    """Find images whose file is missing, altered or no image; one at a time."""
    for asset in assets:
        try:
            with storage.open_asset(asset.storage_key) as file:
                message = _compare(asset, file)
        except storage.StorageError as error:
            message = f"its file can't be read ({error})"
        if message:
            yield FileProblem(asset=asset.public_id, message=message)


def _by_chance(stored: QuerySet[Asset], number: int, *, highest: int) -> list[Asset]:
    """Pick images below a key without reading them all: keys by chance, and whoever is next."""
    found: dict[int, Asset] = {}
    chosen = random.SystemRandom()
    for _ in range(number if highest > 1 else 0):
        key = chosen.randrange(1, highest)
        asset = stored.filter(pk__gte=key, pk__lt=highest).order_by("pk").first()
        if asset:
            found[asset.pk] = asset
    return list(found.values())


def _compare(asset: Asset, file: BinaryIO) -> str:
    """Return what is wrong with a file, empty for nothing."""
    with tempfile.TemporaryFile() as copy:
        bytes_ = cast("BinaryIO", copy)
        for chunk in iter(lambda: file.read(1 << 20), b""):
            bytes_.write(chunk)
        facts = storage.measure(bytes_)
        if facts.content_length != asset.content_length:
            return f"its file has {facts.content_length} bytes instead of {asset.content_length}"
        if facts.sha256 != asset.sha256:
            return "its file is another than was stored: the SHA-256 differs"
        try:
            with tempfile.TemporaryFile() as thumbnail:
                decoding.make_thumbnail(bytes_, cast("BinaryIO", thumbnail))
        except decoding.UndecodableImage as error:
            return f"its file can't be opened as an image ({error})"
    return ""
