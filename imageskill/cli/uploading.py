"""Getting a local picture, or one behind a URL, onto the server."""

from imageskill.cli import http_client, images
from imageskill.cli.envelopes import Answer
from imageskill.cli.grammar.requests import Request

UPLOAD = Request("POST", "/v1/upload")


def upload(api: str, source: str, *, token: str) -> Answer:
    """Upload one picture; raises what opening it raises, and RequestFailed."""
    with images.opened(source) as picture:
        return http_client.ask(api, UPLOAD, token=token, stream=picture.stream())
