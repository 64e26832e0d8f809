"""The command line as one file: it needs the standard library alone, so any Python runs it."""

import zipapp
from functools import cache
from io import BytesIO
from pathlib import Path
from shutil import copyfile, copytree, ignore_patterns
from tempfile import TemporaryDirectory

_PACKAGE = Path(__file__).resolve().parents[2]


@cache
def build_archive(*, api_url: str, site_url: str) -> bytes:
    """Pack `imageskill.cli` and the little it imports; it talks to this server by default."""
    with TemporaryDirectory() as folder:
        package = Path(folder, "imageskill")
        copytree(_PACKAGE / "cli", package / "cli", ignore=ignore_patterns("__pycache__"))
        copyfile(_PACKAGE / "__init__.py", package / "__init__.py")
        addresses = package / "cli" / "addresses.py"
        addresses.write_text(
            f'"""Where the service is."""\n\nAPI_URL = {api_url!r}\nSITE_URL = {site_url!r}\n',
            encoding="utf-8",
        )
        target = BytesIO()
        zipapp.create_archive(
            folder,
            target,
            interpreter="/usr/bin/env python3",
            main="imageskill.cli.main:main",
            compressed=True,
        )
    return target.getvalue()
