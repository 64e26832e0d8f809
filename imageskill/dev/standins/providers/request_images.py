"""The images in a request: data URIs, opened and measured."""

from base64 import b64decode

from imageskill.dev.standins.providers.image import read_size

PixelSize = tuple[int, int]


class InvalidImage(Exception):
    """What should be an image is not."""


def size_from_data_uri(uri: object) -> PixelSize:
    """Open a data URI and give the image's size; raises `NotAPicture`."""
    if not isinstance(uri, str) or not uri.startswith("data:image/"):
        raise InvalidImage
    try:
        return read_size(b64decode(uri.partition(";base64,")[2], validate=True))
    except (OSError, ValueError) as error:
        raise InvalidImage from error
