"""From a `ProviderRequest` to the fields of the vendor's, as the registry row's `call` says.

Images stay images here; each adapter decides how they travel.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from jobs.providers import refusals
from jobs.providers.failures import PERMANENT, ProviderError
from jobs.providers.interface import InputImage, ProviderRequest
from jobs.registry.entry import ReferenceFields

ELEMENT_FRONTAL = "element_frontal"


def text_fields(request: ProviderRequest) -> dict[str, Any]:
    """Return everything but the images: model, prompt, parameters, ratio, count, format.

    What the caller set wins over what ratio and format would send; null leaves a field out.
    """
    call = request.model.call
    body: dict[str, Any] = {}
    if call.model:
        body["model"] = call.model
    if call.prompt_field and request.prompt:
        body[call.prompt_field] = request.prompt
    body |= _aspect_ratio_field(request)
    if call.count_field:
        body[call.count_field] = request.output_count
    if call.format_field and request.output_format:
        body[call.format_field] = request.output_format
    body |= {name: value for name, value in request.parameters.items() if value is not None}
    return {**body, **call.fixed}


def image_fields(request: ProviderRequest) -> dict[str, Any]:
    """Return the fields that hold images: one, a list, or references in the row's way.

    Raises `ProviderError` (permanent) where there are more inputs than the model has room for:
    none is left out in silence.
    """
    call = request.model.call
    body: dict[str, Any] = {}
    if call.references and request.references:
        if call.references.joined_field:
            return {call.references.joined_field: [*request.inputs, *_sorted_references(request)]}
        body |= _references(call.references, _sorted_references(request))
    if call.input_field and request.inputs:
        body[call.input_field] = _input_value(request)
    if call.mask_field and request.mask:
        body[call.mask_field] = request.mask
    return body


def _input_value(request: ProviderRequest) -> InputImage | list[InputImage]:
    call, given = request.model.call, request.inputs
    if call.input_is_list or (call.input_may_be_list and len(given) > 1):
        return list(given)
    if len(given) > 1:
        raise ProviderError(PERMANENT, reason="too_many_inputs", refusal=refusals.IMAGE_COUNT)
    return given[0]


def _aspect_ratio_field(request: ProviderRequest) -> dict[str, str]:
    rule = request.model.aspect_ratio
    value = rule.values.get(request.aspect_ratio)
    if rule.field is None or value is None:
        return {}
    if rule.only_with_references and not request.references:
        return {}
    return {rule.field: value}


def _sorted_references(request: ProviderRequest) -> list[InputImage]:
    return sorted(request.references, key=lambda image: (image.index, image.reference_index or 0))


def _references(places: ReferenceFields, given: list[InputImage]) -> dict[str, Any]:
    if places.elements_field:
        return {places.elements_field: _elements(places, given)}
    body: dict[str, Any] = {}
    for place, image in zip(places.numbered_fields, given, strict=False):
        body[place["image"]] = image
        if image.reference_task:
            body[place["task"]] = image.reference_task
    return body


def _elements(places: ReferenceFields, given: list[InputImage]) -> list[Mapping[str, Any]]:
    elements: dict[int, dict[str, Any]] = defaultdict(dict)
    for image in given:
        element = elements[image.index]
        if image.role == ELEMENT_FRONTAL:
            element[str(places.frontal_field)] = image
        else:
            element.setdefault(str(places.reference_field), []).append(image)
    return [elements[index] for index in sorted(elements)]
