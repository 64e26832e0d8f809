"""Rows as CSV and XLSX for people who open them in a spreadsheet: nothing in them can run."""

import csv
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from imageskill.lib import clock

MAX_SHEET_ROWS = 1_048_576  # the header's included
_FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")


def to_cell(value: Any) -> Any:
    """Write one value: numbers stay numbers, moments are UTC, a text can't be a formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return clock.iso(value)
    if isinstance(value, bool | int | float | Decimal):
        return value
    text = value if isinstance(value, str) else str(value)
    return f"'{text}" if text.startswith(_FORMULA_PREFIXES) else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Write CSV line by line, however many there are."""
    writer = csv.writer(_Echo())
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([to_cell(value) for value in row])


def write_xlsx(title: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> IO[bytes]:
    """Write a workbook into a temporary file, open at its start; it is gone once it is closed.

    No more than a row is held in memory. Where a sheet reaches the format's limit of rows, a
    further one begins with the header again.
    """
    workbook = Workbook(write_only=True)
    sheet = _begin_sheet(workbook, title, header)
    for number, row in enumerate(rows):
        if number and number % (MAX_SHEET_ROWS - 1) == 0:
            sheet = _begin_sheet(workbook, title, header)
        sheet.append([_to_xlsx_cell(value) for value in row])
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    workbook.save(file)
    file.seek(0)
    return file


def _begin_sheet(workbook: Workbook, title: str, header: Sequence[str]) -> Any:
    number = len(workbook.sheetnames) + 1
    # A sheet's name has 31 characters at most.
    sheet = workbook.create_sheet(title[:31] if number == 1 else f"{title[:27]} {number}")
    sheet.append(header)
    return sheet


def _to_xlsx_cell(value: Any) -> Any:
    """Write one value as `to_cell` does, but moments and days as dates, in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, date):
        return value
    cell = to_cell(value)
    return ILLEGAL_CHARACTERS_RE.sub("", cell) if isinstance(cell, str) else cell


class _Echo:
    """Returns what is written to it."""

    write: Callable[[str], str] = staticmethod(lambda text: text)
