"""The size of an output, where it is known before the run."""

import re
from collections.abc import Mapping
from typing import Any

from imageskill.lib.errors import Detail, InvalidArguments
from jobs.planning import parameters as model_parameters
from jobs.planning.request import OutputSpec
from jobs.registry.entry import Model, Size, SizeLimits

_SIZE_PATTERN = re.compile(r"(\d{1,5})x(\d{1,5})")


def size_parameter(model: Model, given: Mapping[str, Any], output: OutputSpec) -> dict[str, Any]:
    """Return the parameter that carries the width and height of `output`, if it has any.

    Raises `InvalidArguments` where the model has none, or another parameter contradicts it.
    """
    if output.width is None and output.height is None:
        return {}
    name = model.size.parameter
    if output.width is None or output.height is None:
        raise _invalid("needs both width and height")
    if name is None or not model.parameters[name]["executable"]:
        raise _invalid(f"can't have a width and height for {model.id}")
    value = _as_value(model, name, (output.width, output.height))
    if given.get(name, value) != value:
        raise _invalid(f"differs from model_parameters.{name}")
    return {name: value}


def resolve_size(model: Model, parameters: Mapping[str, Any], *, aspect_ratio: str) -> Any:
    """Return the value the size parameter will have.

    The caller's, else the aspect ratio's, else the model's default; None where the model has no
    such parameter.
    """
    name = model.size.parameter
    if name is None:
        return None
    if name in parameters:
        return parameters[name]
    by_ratio = model.aspect_ratio.values.get(aspect_ratio)
    if model.aspect_ratio.field == name and by_ratio is not None:
        return by_ratio
    return model.parameters[name].get("default")


def planned_size(model: Model, parameters: Mapping[str, Any], *, aspect_ratio: str) -> Size | None:
    """Return the planned width and height, or None where the model decides."""
    return parse_pixels(model, resolve_size(model, parameters, aspect_ratio=aspect_ratio))


def parse_pixels(model: Model, size_value: Any) -> Size | None:
    """Return width and height of a size parameter's value, or None for one like auto."""
    if isinstance(size_value, Mapping):
        return int(size_value["width"]), int(size_value["height"])
    if not isinstance(size_value, str):
        return None
    if written := _SIZE_PATTERN.fullmatch(size_value):
        return int(written[1]), int(written[2])
    return model.size.presets.get(size_value)


def check(model: Model, parameters: Mapping[str, Any]) -> None:
    """Raise `ModelParameterInvalid` for a width and height outside the model's limits."""
    name = model.size.parameter
    size = parse_pixels(model, parameters.get(name)) if name else None
    if name is None or size is None:
        return
    if broken := _broken_limit(model.size.limits, size):
        field = f"model_parameters.{name}"
        raise model_parameters.invalid_parameters(model, [Detail(field=field, message=broken)])


def check_constraints(output: OutputSpec, size: Size | None) -> None:
    """Raise `InvalidArguments` where the planned size breaks the limits of `output`."""
    limits = {
        "min_width": output.min_width,
        "min_height": output.min_height,
        "max_width": output.max_width,
        "max_height": output.max_height,
    }
    for name, limit in limits.items():
        if limit is None:
            continue
        if size is None:
            raise _invalid(
                "can't be checked; the size of this model is unknown before the run",
                field=f"output.{name}",
            )
        planned = size[name.endswith("height")]
        if planned < limit if name.startswith("min") else planned > limit:
            raise _invalid(
                f"excludes the planned size, {size[0]}x{size[1]}", field=f"output.{name}"
            )


def _broken_limit(limits: SizeLimits, size: Size) -> str | None:
    short, long = sorted(size)
    area = short * long
    if short % limits.multiple_of or long % limits.multiple_of:
        return f"must have a width and height that are multiples of {limits.multiple_of}"
    if limits.max_edge is not None and long > limits.max_edge:
        return f"must have no edge above {limits.max_edge}"
    if limits.max_ratio is not None and long > short * limits.max_ratio:
        return f"must have a long edge of at most {limits.max_ratio} times the short edge"
    if area < limits.min_pixels:
        return f"must have at least {limits.min_pixels} pixels in total"
    if limits.max_pixels is not None and area > limits.max_pixels:
        return f"must have at most {limits.max_pixels} pixels in total"
    return None


def _as_value(model: Model, name: str, size: Size) -> Any:
    """Return a size as the parameter's schema wants it: a string, or an object."""
    if any(part.get("type") == "object" for part in model.parameters[name].get("anyOf", ())):
        return {"width": size[0], "height": size[1]}
    return f"{size[0]}x{size[1]}"


def _invalid(message: str, *, field: str = "output") -> InvalidArguments:
    return InvalidArguments(
        "The outputs can't have this size.", details=[Detail(field=field, message=message)]
    )
