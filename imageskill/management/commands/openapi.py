"""Keep what is published of the API in step with the API."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from imageskill.cli.addresses import API_URL, SITE_URL
from imageskill.web.api import api
from imageskill.web.documents import pages


class Command(BaseCommand):
    """The snapshots make every change of the wire visible in review."""

    help = "Write docs/openapi.json and docs/agents.md, or with --check fail when out of date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *, check: bool, **_: Any) -> None:
        """Write or compare."""
        for name, text in _documents().items():
            file: Path = settings.BASE_DIR / "docs" / name
            if not check:
                file.parent.mkdir(exist_ok=True)
                file.write_text(text, encoding="utf-8")
            elif not file.exists() or file.read_text(encoding="utf-8") != text:
                raise CommandError(f"docs/{name} is out of date; run `make openapi` and commit it")


def _documents() -> dict[str, str]:
    """Return the files, the same wherever they are written; what is served names its own server."""
    description = api.get_openapi_schema() | {"servers": [{"url": "/"}]}
    return {
        "openapi.json": json.dumps(description, indent=2) + "\n",
        "agents.md": pages.render_agents(api_url=API_URL, site_url=SITE_URL),
    }
