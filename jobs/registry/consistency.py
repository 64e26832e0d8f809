"""Parts of a row that must agree with each other."""

from collections.abc import Callable, Iterator

from jsonschema import Draft202012Validator

from jobs.registry.entry import Model
from jobs.registry.operations import DEFAULT_ASPECT_RATIO
from jobs.registry.prices import TierPrice


def contradictions(model: Model) -> Iterator[str]:
    """Yield what contradicts itself in a model."""
    yield from _invalid_parameters(model)
    rules = _WIRED_CHECKS if model.is_wired else _CATALOGED_CHECKS
    yield from (message for message, is_broken in rules.items() if is_broken(model))


def _invalid_parameters(model: Model) -> Iterator[str]:
    named = {model.size.parameter, model.size.tier}
    named |= {rule.parameter for rule in model.parameter_rules}
    named |= {name for rule in model.parameter_rules for name in rule.needs}
    if isinstance(model.price.rule, TierPrice):
        named.add(model.price.rule.parameter)
    yield from (f"has no parameter {name}" for name in named - {None} - set(model.parameters))
    for name, schema in model.parameters.items():
        default = schema.get("default")
        if default is not None and not Draft202012Validator(schema).is_valid(default):
            yield f"the default of {name} breaks its own schema"


def _tiers_differ(model: Model) -> bool:
    rule = model.price.rule
    return isinstance(rule, TierPrice) and set(rule.usd) != set(
        model.parameters[rule.parameter]["enum"]
    )


_Check = Callable[[Model], bool]

_CATALOGED_CHECKS: dict[str, _Check] = {
    "has executable parameters, yet is not wired": lambda m: bool(m.executable_parameters),
}

_WIRED_CHECKS: dict[str, _Check] = {
    "price tiers are not the values of their parameter": _tiers_differ,
    "neither create nor edit runs it": lambda m: m.operation is None,
    "an edit takes an input image, and only an edit does": lambda m: (
        (m.operation == "edit") != (m.input_image is not None)
    ),
    "lacks the aspect ratio that callers send by default": lambda m: (
        DEFAULT_ASPECT_RATIO[m.operation or "create"] not in m.aspect_ratio.values
    ),
    "references and their fields must come together": lambda m: (
        (m.references is None) != (m.call.references is None)
    ),
    "the mask and its field must come together": lambda m: (
        (m.mask is None) != (m.call.mask_field is None)
    ),
    "the prompt and its field must come together": lambda m: (
        (m.prompt.use == "forbidden") != (m.call.prompt_field is None)
    ),
    "several outputs need a field for their count": lambda m: (
        m.output.max_count > 1 and m.call.count_field is None
    ),
}
