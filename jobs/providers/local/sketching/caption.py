"""The words under an image, set on paper like a print's title."""

import re

from PIL import Image, ImageDraw, ImageFont

from jobs.providers.local.sketching.palettes import Palette, mix

MAX_CHARACTERS = 64
NO_GLYPH = "\ufffe"


def add_frame(
    art: Image.Image, size: tuple[int, int], palette: Palette, words: str, note: str
) -> Image.Image:
    """Place the art on paper of `size` with the words, and a small note, below it."""
    sheet = Image.new("RGB", size, palette.paper)
    sheet.paste(art, (margin(size), margin(size)))
    pen = ImageDraw.Draw(sheet)
    left, room = margin(size), size[0] - 2 * margin(size)
    middle = size[1] - footer_height(size) / 2
    small = ImageFont.load_default(max(9, round(footer_height(size) * 0.17)))
    note_width = pen.textlength(note, small)
    title = _fit_text(pen, words, room=room - note_width * 1.25, height=footer_height(size))
    text, font = title
    pen.text((left, middle), text, font=font, fill=palette.ink, anchor="lm")
    faint = mix(palette.ink, palette.paper, 0.45)
    pen.text((size[0] - left, middle), note, font=small, fill=faint, anchor="rm")
    return sheet


def margin(size: tuple[int, int]) -> int:
    """Return the width of the paper around the art."""
    return round(min(size) * 0.035)


def footer_height(size: tuple[int, int]) -> int:
    """Return the height of the paper below the art."""
    return round(min(size) * 0.1)


def art_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size of the art on paper of `size`."""
    return size[0] - 2 * margin(size), size[1] - margin(size) - footer_height(size)


def _fit_text(
    pen: ImageDraw.ImageDraw, words: str, *, room: float, height: int
) -> tuple[str, ImageFont.FreeTypeFont | ImageFont.ImageFont]:
    """Choose the largest type in which the words fit, then cut words off the end."""
    largest = round(height * 0.36)
    text = _truncate(_drawable(words), MAX_CHARACTERS)
    for points in range(largest, max(8, round(largest * 0.62)), -1):
        font = ImageFont.load_default(points)
        if pen.textlength(text, font) <= room:
            return text, font
    while text and pen.textlength(text, font) > room:
        text = _truncate(text, len(text) - 1)
    return text, font


def _truncate(text: str, most: int) -> str:
    """Cut at a word's end, with an ellipsis for what is missing."""
    if len(text) <= most:
        return text
    cut = text[: max(0, most - 1)].rstrip("… ")
    whole = cut.rpartition(" ")[0] or cut
    return f"{whole.rstrip(' ,.;:')}…" if whole else ""


def _drawable(words: str) -> str:
    """Leave out what the built-in typeface has no shape for."""
    font = ImageFont.load_default(20)
    if not isinstance(font, ImageFont.FreeTypeFont):
        return words.encode("ascii", "ignore").decode()
    missing = bytes(font.getmask(NO_GLYPH))
    line = re.sub(r"\s+", " ", words).strip()[: 4 * MAX_CHARACTERS]
    shapes = {character: bytes(font.getmask(character)) for character in set(line)}
    kept = "".join(c for c in line if c == " " or shapes[c] not in {missing, b""})
    return re.sub(r" +", " ", kept).strip()
