"""The parameters of OpenAI's image calls, and the same terms in ours. Pure."""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from imageskill.lib.schemas import Body
from jobs import registry
from jobs.api.bodies import Usd
from jobs.planning.selection import DEFAULT
from jobs.registry.entry import Model
from jobs.registry.operations import Operation

Count = Annotated[int, Field(ge=1, le=10)]
Label = Annotated[str, StringConstraints(max_length=512)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]

_SIZE = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})")
_USUAL_RATIOS = ("1:1", "3:2", "2:3", "4:3", "3:4", "16:9", "9:16")
_LEFT_TO_MODEL = {None, "auto", "standard"}
_QUALITIES = {"hd": "high"}
# Parameters that models name as OpenAI does; those without them refuse.
_OF_MODELS = ("background", "moderation", "output_compression", "input_fidelity")
# Terms of ours that callers add, through `extra_body` in OpenAI's libraries.
_OURS = (
    "aspect_ratio",
    "intent",
    "accept_unknown_cost",
    "max_usd",
    "max_estimated_usd_per_image",
)
_PARAMETERS = {
    "output_count": "n",
    "input_asset_id": "image",
    "mask_asset_id": "mask",
    "references": "image",
}


class ParameterRefused(Exception):
    """A parameter can't be taken; `param` is its name."""

    def __init__(self, param: str, message: str) -> None:
        self.param = param
        super().__init__(message)


class ImageFields(Body):
    """What both calls take. `user` is accepted and not kept."""

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=32_000)]
    model: Text | None = None
    n: Count | None = None
    size: Text | None = None
    quality: Text | None = None
    response_format: Literal["url", "b64_json"] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    output_compression: Annotated[int, Field(ge=0, le=100)] | None = None
    background: Text | None = None
    moderation: Text | None = None
    user: Label | None = None
    safety_identifier: Label | None = None
    stream: Literal[False] | None = None
    partial_images: Literal[0] | None = None
    aspect_ratio: Text | None = None
    intent: Text | None = None
    accept_unknown_cost: bool | None = None
    max_usd: Usd | None = None
    max_estimated_usd_per_image: Usd | None = None
    model_parameters: dict[str, Any] | None = None


class GenerationFields(ImageFields):
    """The body of `images/generations`."""


class EditFields(ImageFields):
    """The fields of `images/edits`, beside its files."""

    input_fidelity: Text | None = None


def find_model(name: str | None, operation: Operation) -> Model | None:
    """Return the model of that name for that operation; None leaves the choice to the service.

    So does `default`, as many tools can't leave the name out.
    OpenAI has one name for both operations, where we have a model for each.
    Raises `ParameterRefused` for a name that no model has.
    """
    if name is None or name == DEFAULT:
        return None
    named = registry.find(name)
    for model in (named, registry.find(f"{named.id if named else name}-edit")):
        if model is not None and model.operation == operation:
            return model
    if named is not None:
        raise ParameterRefused("model", f"{named.id} is not a model for {operation}.")
    near = ", ".join(registry.near_matches(name))
    raise ParameterRefused(
        "model", "There is no such model." + (f" Near matches: {near}." if near else "")
    )


def build_terms(fields: ImageFields, model: Model | None) -> dict[str, Any]:
    """Return the body of our create or edit, without images. Raises `ParameterRefused`."""
    terms: dict[str, Any] = {"prompt": fields.prompt, "output_count": fields.n or 1}
    if model is not None:
        terms["model"] = model.id
    terms |= {name: value for name in _OURS if (value := getattr(fields, name)) is not None}
    size = _size_terms(fields.size, model)
    output = size.pop("output", {})
    if fields.output_format:
        output["format"] = fields.output_format
    if output:
        terms["output"] = output
    parameters = {**(fields.model_parameters or {}), **_model_parameters(fields, model)}
    if parameters:
        terms["model_parameters"] = parameters
    return size | terms


def parameter_of(field: str) -> str:
    """Return the OpenAI parameter behind a field of ours."""
    first, _, rest = field.partition(".")
    if first == "model_parameters" and rest:
        return rest
    if first == "output":
        return "output_format" if rest == "format" else "size"
    return _PARAMETERS.get(first, first)


def _size_terms(size: str | None, model: Model | None) -> dict[str, Any]:
    """Return the terms of a size: exact where the model takes one, else its aspect ratio."""
    if size in _LEFT_TO_MODEL or size is None:
        return {}
    match = _SIZE.fullmatch(size)
    if match is None:
        raise ParameterRefused("size", "Send a size such as 1024x1024, or auto.")
    width, height = int(match[1]), int(match[2])
    if model is not None and _takes(model, model.size.parameter):
        return {"output": {"width": width, "height": height}}
    ratios = _USUAL_RATIOS if model is None else tuple(model.aspect_ratio.values)
    return {"aspect_ratio": _nearest_ratio(width / height, ratios)}


def _nearest_ratio(wanted: float, ratios: tuple[str, ...]) -> str:
    def distance(ratio: str) -> float:
        across, _, down = ratio.partition(":")
        return abs(math.log(wanted * float(down) / float(across)))

    exact = [ratio for ratio in ratios if ":" in ratio]
    if not exact:
        raise ParameterRefused("size", "This model decides the size itself; omit it.")
    return min(exact, key=distance)


def _model_parameters(fields: ImageFields, model: Model | None) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    if fields.quality not in _LEFT_TO_MODEL and fields.quality is not None:
        parameters["quality"] = _QUALITIES.get(fields.quality, fields.quality)
    for name in _OF_MODELS:
        value = getattr(fields, name, None)
        if value is not None and not (value == "auto" and not _takes(model, name)):
            parameters[name] = value
    for name in parameters:
        if not _takes(model, name):
            which = (
                f"{model.id} takes no {name}" if model else f"{name} needs a model that takes it"
            )
            raise ParameterRefused(name, f"{which}; omit it.")
    return parameters


def _takes(model: Model | None, name: str | None) -> bool:
    schema: Mapping[str, Any] = model.parameters.get(name, {}) if model and name else {}
    return bool(schema.get("executable"))
