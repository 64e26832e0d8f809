"""Rows as CSV and XLSX for people who open them in a spreadsheet: nothing in them can run."""

import csv
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

MAX_SHEET_ROWS = 1_048_576  # the header's included
_AMOUNT_FORMAT = "#,##0.00####"
_BYTE_ORDER_MARK = "\ufeff"
_FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")


def to_cell(value: Any) -> Any:
    """Write one value: numbers stay numbers, moments are dates in UTC, a text is no formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool | int | float | Decimal):
        return value
    text = value if isinstance(value, str) else str(value)
    return f"'{text}" if text.startswith(_FORMULA_PREFIXES) else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Write CSV line by line, however many there are.

    It begins with a byte order mark: without one, Excel reads UTF-8 as another encoding.
    """
    writer = csv.writer(_Echo())
    yield _BYTE_ORDER_MARK + writer.writerow(header)
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
        sheet.append([_to_xlsx_cell(sheet, value) for value in row])
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


def _to_xlsx_cell(sheet: Any, value: Any) -> Any:
    """Write one value as `to_cell` does, but moments and days as dates, amounts with cents."""
    if isinstance(value, Decimal):
        cell = WriteOnlyCell(sheet, value)
        cell.number_format = _AMOUNT_FORMAT
        return cell
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, date):
        return value
    text = to_cell(value)
    return ILLEGAL_CHARACTERS_RE.sub("", text) if isinstance(text, str) else text


class _Echo:
    """Returns what is written to it."""

    write: Callable[[str], str] = staticmethod(lambda text: text)
