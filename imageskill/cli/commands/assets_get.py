"""`image-skill assets get`."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from imageskill.cli import output
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.grammar import requests
from imageskill.cli.session import Session
from imageskill.cli.transport import downloads, http_client


def run(session: Session) -> CommandResult:
    """Look the asset up, download it, check it, and only then move it into place."""
    call = session.call
    token = session.token(is_required=True)
    assert token is not None
    answer = http_client.send(session.api, requests.build(call), token=token.text)
    asset = answer.data.get("asset")
    if not answer.is_ok or not isinstance(asset, dict):
        return answer
    path = Path(call.given["output"]) if "output" in call.given else _default_path(asset)
    is_overwriting = call.is_on("overwrite")
    downloads.check_free(path, is_overwriting=is_overwriting)
    with output.progress("Downloading", is_shown=not call.is_on("json")):
        saved = downloads.save(asset, path, is_overwriting=is_overwriting)
    return answer.with_data(download=saved)


def _default_path(asset: dict[str, Any]) -> Path:
    extension = Path(urlsplit(str(asset.get("url"))).path).suffix
    name = str(asset.get("asset_id"))
    safe = extension if extension[1:].isalnum() else ""
    return Path(Path(name).name + safe)
