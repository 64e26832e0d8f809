"""Uploading a local image, or one from a URL, to the server."""

from imageskill.cli.envelopes import CommandResult
from imageskill.cli.grammar.requests import EndpointRequest
from imageskill.cli.transport import http_client, images

UPLOAD_REQUEST = EndpointRequest("POST", "/v1/upload")


def upload(api: str, source: str, *, token: str) -> CommandResult:
    """Upload one image; raises what opening it raises, and RequestFailed."""
    with images.open_image(source) as image:
        return http_client.send(api, UPLOAD_REQUEST, token=token, stream=image.stream())
