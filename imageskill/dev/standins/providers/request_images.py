"""The pictures in a request: data URIs, opened and measured."""

from base64 import b64decode

from imageskill.dev.standins.providers.image import size_of

Size = tuple[int, int]


class NotAPicture(Exception):
    """What should be a picture is not."""


def from_data_uri(uri: object) -> Size:
    """Open a data URI and give the picture's size; raises `NotAPicture`."""
    if not isinstance(uri, str) or not uri.startswith("data:image/"):
        raise NotAPicture
    try:
        return size_of(b64decode(uri.partition(";base64,")[2], validate=True))
    except (OSError, ValueError) as error:
        raise NotAPicture from error
