"""From an order to the fields of a provider's request, as the registry row's `call` says.

Images stay images here; each adapter decides how they travel.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from jobs.providers.failures import PERMANENT, ProviderError
from jobs.providers.interface import InputImage, ProviderRequest
from jobs.registry.entry import ReferenceFields

ELEMENT_FRONTAL = "element_frontal"


def text_fields(order: ProviderRequest) -> dict[str, Any]:
    """Return everything but the images: model, prompt, parameters, ratio, count, format.

    What the caller set wins over what ratio and format would send; null leaves a field out.
    """
    call = order.model.call
    body: dict[str, Any] = {}
    if call.model:
        body["model"] = call.model
    if call.prompt_field and order.prompt:
        body[call.prompt_field] = order.prompt
    body |= _aspect_ratio_field(order)
    if call.count_field:
        body[call.count_field] = order.output_count
    if call.format_field and order.output_format:
        body[call.format_field] = order.output_format
    body |= {name: value for name, value in order.parameters.items() if value is not None}
    return {**body, **call.fixed}


def image_fields(order: ProviderRequest) -> dict[str, Any]:
    """Return the fields that hold images: one, a list, or references in the row's way.

    Raises `ProviderError` (permanent) where there are more inputs than the model has room for:
    none is left out in silence.
    """
    call = order.model.call
    body: dict[str, Any] = {}
    if call.references and order.references:
        if call.references.joined_field:
            return {call.references.joined_field: [*order.inputs, *_sorted_references(order)]}
        body |= _references(call.references, _sorted_references(order))
    if call.input_field and order.inputs:
        body[call.input_field] = _input_value(order)
    if call.mask_field and order.mask:
        body[call.mask_field] = order.mask
    return body


def _input_value(order: ProviderRequest) -> InputImage | list[InputImage]:
    call, given = order.model.call, order.inputs
    if call.input_is_list or (call.input_may_be_list and len(given) > 1):
        return list(given)
    if len(given) > 1:
        raise ProviderError(PERMANENT, reason="too_many_inputs")
    return given[0]


def _aspect_ratio_field(order: ProviderRequest) -> dict[str, str]:
    rule = order.model.aspect_ratio
    value = rule.values.get(order.aspect_ratio)
    if rule.field is None or value is None:
        return {}
    if rule.only_with_references and not order.references:
        return {}
    return {rule.field: value}


def _sorted_references(order: ProviderRequest) -> list[InputImage]:
    return sorted(order.references, key=lambda one: (one.index, one.reference_index or 0))


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
