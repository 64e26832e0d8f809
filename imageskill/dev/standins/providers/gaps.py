"""What a provider leaves out of a batch: one word for each image, by its place.

Nothing: the image is there. `absent`: its entry is missing. `error`: an entry tells of an error.
`flagged`: the provider's own check refused it. `broken`: there is no image behind it.
"""

from typing import Any, Literal

Gap = Literal["", "absent", "error", "flagged", "broken"]
Gaps = tuple[Gap, ...]

ERROR_ENTRY = {"error": {"message": "The image could not be generated.", "code": "internal_error"}}


def gap(gaps: Gaps, number: int) -> Gap:
    """Return what is wrong with an image of a batch."""
    return gaps[number] if number < len(gaps) else ""


def apply(entries: list[dict[str, Any]], gaps: Gaps, *, broken: dict[str, Any]) -> list[Any]:
    """Return a batch's entries with its gaps; `broken` stands for what is no image."""
    replaced = {"error": ERROR_ENTRY, "broken": broken}
    return [
        replaced.get(gap(gaps, number), entry)
        for number, entry in enumerate(entries)
        if gap(gaps, number) != "absent"
    ]
