"""The images of a dispute's evidence as one file: Stripe takes a single file for each part."""

from collections.abc import Iterable
from io import BytesIO

from PIL import Image, ImageDraw

from jobs.assets import storage
from jobs.models import Asset

MAX_IMAGES = 12
_COLUMNS, _TILE_PX, _CAPTION_PX = 4, 300, 24


def build_sheet(assets: Iterable[Asset]) -> bytes | None:
    """Return a JPEG of the first delivered images with their times; None where none is stored."""
    tiles = [tile for tile in map(_open_tile, list(assets)[:MAX_IMAGES]) if tile]
    if not tiles:
        return None
    rows = -(-len(tiles) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * _TILE_PX, rows * (_TILE_PX + _CAPTION_PX)), color="white")
    draw = ImageDraw.Draw(sheet)
    for number, (image, caption) in enumerate(tiles):
        left = number % _COLUMNS * _TILE_PX
        top = number // _COLUMNS * (_TILE_PX + _CAPTION_PX)
        sheet.paste(image, (left, top))
        draw.text((left + 4, top + _TILE_PX + 4), caption, fill="black")
    file = BytesIO()
    sheet.save(file, "JPEG", quality=80)
    return file.getvalue()


def _open_tile(asset: Asset) -> tuple[Image.Image, str] | None:
    """Open our own thumbnail of an image; None where it has none."""
    try:
        with storage.open_asset(storage.thumbnail_key(asset.public_id)) as file:
            image = Image.open(file)
            image.thumbnail((_TILE_PX - 8, _TILE_PX - 8))
            return image.convert("RGB"), f"{asset.created_at:%Y-%m-%d %H:%M} UTC"
    except (storage.StorageError, OSError):
        return None
