"""Keep the published description of the API in step with the API."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from imageskill.web.api import api


class Command(BaseCommand):
    """The snapshot makes every change of the wire visible in review."""

    help = "Write docs/openapi.json, or with --check fail when it is out of date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *, check: bool, **_: Any) -> None:
        """Write or compare."""
        file = settings.BASE_DIR / "docs" / "openapi.json"
        # The file is the same wherever it is written; what is served names its own server.
        document = api.get_openapi_schema() | {"servers": [{"url": "/"}]}
        text = json.dumps(document, indent=2) + "\n"
        if not check:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            raise CommandError("docs/openapi.json is out of date; run `make openapi` and commit it")
