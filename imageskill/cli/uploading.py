"""Getting a local picture, or one behind a URL, onto the server."""

from imageskill.cli import pictures, wire
from imageskill.cli.answers import Answer
from imageskill.cli.grammar.requests import Request

UPLOAD = Request("POST", "/v1/upload")


def upload(api: str, source: str, *, token: str) -> Answer:
    """Upload one picture; raises what opening it raises, and RequestFailed."""
    with pictures.opened(source) as picture:
        return wire.ask(api, UPLOAD, token=token, stream=picture.stream())
