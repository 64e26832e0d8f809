"""What a measurement says, and the table of them all."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line: what was measured, beside what, and what the ratio should be.

    `ratio` is None for figures that are reported without a target; `is_met` then too.
    """

    what: str
    measured: str
    beside: str = ""
    ratio: float | None = None
    target: str = ""
    is_met: bool | None = None


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table of plain text."""
    head = ("what", "measured", "beside", "ratio", "target", "")
    lines = [
        head,
        *(
            (
                row.what,
                row.measured,
                row.beside,
                "" if row.ratio is None else f"{row.ratio:.2f}",
                row.target,
                {True: "met", False: "MISSED", None: ""}[row.is_met],
            )
            for row in rows
        ),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
