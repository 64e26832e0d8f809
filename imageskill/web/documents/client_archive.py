"""The command line as one file: it needs the standard library alone, so any Python runs it."""

import zipfile
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]
_INTERPRETER = b"#!/usr/bin/env python3\n"
_MAIN = "from imageskill.cli.main import main\n\nmain()\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip can hold no earlier time


@cache
def build_archive(*, api_url: str, site_url: str) -> bytes:
    """Pack `imageskill.cli` and the little it imports; it talks to this server by default.

    The same code and addresses give the same bytes in every process, so that its hash can be told.
    """
    target = BytesIO()
    target.write(_INTERPRETER)
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in _files(api_url, site_url):
            member = zipfile.ZipInfo(name, _EPOCH)
            archive.writestr(member, text, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _files(api_url: str, site_url: str) -> Iterator[tuple[str, str]]:
    yield "__main__.py", _MAIN
    addresses = _PACKAGE / "cli" / "addresses.py"
    for file in (_PACKAGE / "__init__.py", *sorted((_PACKAGE / "cli").rglob("*.py"))):
        text = file.read_text(encoding="utf-8")
        if file == addresses:
            text = (
                f'"""Where the service is."""\n\nAPI_URL = {api_url!r}\nSITE_URL = {site_url!r}\n'
            )
        yield f"imageskill/{file.relative_to(_PACKAGE).as_posix()}", text
