"""What a provider did not take, in our words: the same request would be refused again.

Adapters translate their vendor's codes into these names; a job keeps the name.
"""

from collections.abc import Mapping
from dataclasses import dataclass

IMAGE = "image"
IMAGE_SIZE = "image_size"
IMAGE_BYTES = "image_bytes"
IMAGE_COUNT = "image_count"
FACE = "face"
MASK = "mask"
SIZE = "size"
PROMPT = "prompt"
PARAMETER = "parameter"
COMBINATION = "combination"
NOTHING_MADE = "nothing_made"
REQUEST = "request"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The field of the request that was not taken, and what to change."""

    field: str
    message: str


REFUSALS: Mapping[str, Refusal] = {
    IMAGE: Refusal(
        field="input_asset_id",
        message="the provider can't read this image; send another one, as PNG or JPEG",
    ),
    IMAGE_SIZE: Refusal(
        field="input_asset_id",
        message="the provider does not take an image of this width and height",
    ),
    IMAGE_BYTES: Refusal(
        field="input_asset_id", message="the image's file is too large for the provider"
    ),
    IMAGE_COUNT: Refusal(
        field="references", message="the provider does not take this number of images"
    ),
    FACE: Refusal(field="input_asset_id", message="the provider finds no face in the image"),
    MASK: Refusal(field="mask_asset_id", message="the provider can't use this mask"),
    SIZE: Refusal(
        field="aspect_ratio",
        message="the provider does not make images of this size or aspect ratio",
    ),
    PROMPT: Refusal(
        field="prompt", message="the provider does not take a prompt of this length or form"
    ),
    PARAMETER: Refusal(
        field="model_parameters", message="the provider does not take the value of a parameter"
    ),
    COMBINATION: Refusal(
        field="model_parameters", message="the model can't do what these parameters ask for"
    ),
    NOTHING_MADE: Refusal(
        field="prompt", message="the provider made no image of this request; ask for something else"
    ),
    REQUEST: Refusal(
        field="body", message="the provider does not take this request; change it or its model"
    ),
}
"""Each by its name; what an adapter can't tell is `REQUEST`."""


def sentence(name: str) -> str:
    """Return a refusal as a sentence for the caller; empty where there is none."""
    refusal = REFUSALS.get(name)
    return f"Nothing was charged; {refusal.message}." if refusal else ""
