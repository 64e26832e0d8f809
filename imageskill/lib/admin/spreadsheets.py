"""Rows as CSV and XLSX for people who open them in a spreadsheet: nothing in them can run."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import tablib
from import_export.formats.base_formats import XLSX

from imageskill.lib import clock

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


def build_xlsx(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Write a workbook; all rows are held in memory, so the caller bounds their number."""
    sheet = tablib.Dataset(headers=list(header))
    for row in rows:
        sheet.append([to_cell(value) for value in row])
    content: bytes = XLSX().export_data(sheet)
    return content


class _Echo:
    """Gives back what is written to it."""

    write: Callable[[str], str] = staticmethod(lambda text: text)
