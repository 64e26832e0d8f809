"""What a create or edit will do and cost, decided before anything is written or anybody is paid.

One pure function serves dry runs and live runs alike. Everything that may refuse a request for
what it asks is here; what depends on the caller (grants, quota, policy on prompts) is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from imageskill.lib.errors import Detail, InvalidArguments
from jobs.planning import budget, inputs, prices, references, selection, sizes
from jobs.planning import parameters as model_parameters
from jobs.planning.asks import ResolvedRequest
from jobs.planning.prices import Cost
from jobs.planning.selection import Candidate
from jobs.planning.selection_receipt import ParameterSource, SelectionRecord, expected_output
from jobs.registry.entry import Model, Operation, Size, TierPrice
from jobs.registry.unavailability import Availability

__all__ = ["Plan", "ResolvedRequest", "plan"]

MIME_TYPE_BY_FORMAT = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will be run, and what for.

    `parameters` are the caller's, checked, with the defaults that decide the price;
    `cost.credits` is the planned debit for all outputs together, which is what to hold;
    `capability_id` is what the answer names: the umbrella where we chose the model.
    """

    operation: Operation
    model: Model
    prompt: str
    parameters: Mapping[str, Any]
    aspect_ratio: str
    output_count: int
    output_format: str | None
    size: Size | None
    cost: Cost
    selection: SelectionRecord
    capability_id: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Fit:
    """A candidate that takes the request."""

    candidate: Candidate
    given: tuple[str, ...]
    parameters: Mapping[str, Any]
    output_format: str | None
    size: Size | None
    cost: Cost


def plan(ask: ResolvedRequest, *, availability: Availability, margin: Decimal) -> Plan:
    """Decide model, parameters, size and price of a request; the same answer for the same input.

    Raises `InvalidArguments`, `ModelUnavailable`, `ProviderUnavailable`, `ModelParameterInvalid`,
    `InputPolicyDenied`, `BudgetRequiresConfirmation` or `BudgetExceeded`.
    """
    _check_shape(ask)
    chosen = selection.choose(
        ask, availability=availability, fit=lambda candidate: _fit(ask, candidate, margin)
    )
    fit = chosen.fitted
    model = fit.candidate.model
    keys, defaults, source = _parameter_origins(fit)
    return Plan(
        operation=ask.operation,
        model=model,
        prompt=ask.prompt or "",
        parameters=fit.parameters,
        aspect_ratio=ask.ratio,
        output_count=ask.output_count,
        output_format=fit.output_format,
        size=fit.size,
        cost=fit.cost,
        capability_id=chosen.capability_id,
        selection=SelectionRecord(
            policy=chosen.policy,
            reason=chosen.reason,
            intent=ask.intent,
            capability_id=model.capability_id,
            parameter_keys=keys,
            defaults_applied=defaults,
            parameter_source=source,
            **expected_output(model, fit.parameters, aspect_ratio=ask.ratio, size=fit.size),
        ),
        warnings=_warnings(model),
    )


def _check_shape(ask: ResolvedRequest) -> None:
    """Refuse what no model could make sense of."""
    if not ask.prompt and (ask.operation == "create" or not ask.model):
        raise InvalidArguments(details=[Detail(field="prompt", message="is needed")])
    if ask.operation == "create" and (ask.input_image or ask.mask):
        raise InvalidArguments(
            details=[Detail(field="input_asset_id", message="is for edit, not for create")]
        )
    if ask.output_count < 1:
        raise InvalidArguments(details=[Detail(field="output_count", message="must be at least 1")])


def _fit(ask: ResolvedRequest, candidate: Candidate, margin: Decimal) -> _Fit:
    """Plan a candidate, or raise why it does not take the request."""
    model = candidate.model
    _check_prompt(model, ask)
    inputs.check(model, image=ask.input_image, mask=ask.mask)
    output_format = _output_format(model, ask)
    given = {
        **ask.model_parameters,
        **sizes.size_parameter(model, ask.model_parameters, ask.output),
        **_format_parameter(model, ask),
    }
    accepted = model_parameters.check(model, given)
    parameters = {**_price_defaults(model), **candidate.defaults, **accepted}
    sizes.check(model, parameters)
    references.check(model, ask.references)
    _check_count(model, ask)
    _check_aspect_ratio(model, ask)
    size = sizes.planned_size(model, parameters, aspect_ratio=ask.ratio)
    sizes.check_constraints(ask.output, size)
    facts = ask.input_image
    cost = prices.estimate(
        model,
        parameters=parameters,
        size=size,
        output_count=ask.output_count,
        images_in=len(ask.references) + (facts is not None),
        input_size=(facts.width, facts.height) if facts else None,
        margin=margin,
    )
    budget.check(ask, cost, model_id=model.id)
    return _Fit(
        candidate=candidate,
        given=tuple(accepted),
        parameters=parameters,
        output_format=output_format,
        size=size,
        cost=cost,
    )


def _check_prompt(model: Model, ask: ResolvedRequest) -> None:
    rule, length = model.prompt, len(ask.prompt or "")
    if rule.use == "forbidden":
        message = f"{model.id} takes none" if ask.prompt else None
    elif not length:
        message = f"{model.id} needs one"
    elif not rule.min_length <= length <= rule.max_length:
        message = f"{model.id} takes {rule.min_length} to {rule.max_length} characters"
    else:
        message = None
    if message:
        raise InvalidArguments(details=[Detail(field="prompt", message=message)])


def _price_defaults(model: Model) -> dict[str, Any]:
    """Send what decides the price even where it is the default: a provider may change its own."""
    rule = model.price.rule
    if not isinstance(rule, TierPrice):
        return {}
    return {rule.parameter: model.parameters[rule.parameter]["default"]}


def _check_count(model: Model, ask: ResolvedRequest) -> None:
    if ask.output_count > model.output.max_count:
        message = f"{model.id} makes at most {model.output.max_count} in a request"
        raise InvalidArguments(details=[Detail(field="output_count", message=message)])


def _check_aspect_ratio(model: Model, ask: ResolvedRequest) -> None:
    rule = model.aspect_ratio
    if ask.ratio not in rule.values:
        message = f"{model.id} takes {', '.join(rule.values)}"
    elif rule.only_with_references and ask.ratio != "auto" and not ask.references:
        message = f"{model.id} keeps the input's own; only with references it may be set"
    else:
        return
    raise InvalidArguments(details=[Detail(field="aspect_ratio", message=message)])


def _output_format(model: Model, ask: ResolvedRequest) -> str | None:
    """Settle the file format: the caller's, where the model can be told, else its own."""
    wanted, name = ask.output.format, model.call.format_field
    by_parameter = ask.model_parameters.get(name) if name else None
    if wanted is None:
        return by_parameter or model.output.default_format
    if by_parameter not in {None, wanted}:
        message = f"is not what model_parameters.{name} says"
    elif name is None and model.output.mime_types != (MIME_TYPE_BY_FORMAT.get(wanted),):
        message = f"{model.id} can't be told a format"
    elif MIME_TYPE_BY_FORMAT.get(wanted) not in model.output.mime_types:
        message = f"{model.id} makes {', '.join(model.output.mime_types)}"
    else:
        return wanted
    raise InvalidArguments(details=[Detail(field="output.format", message=message)])


def _format_parameter(model: Model, ask: ResolvedRequest) -> dict[str, Any]:
    """Write the format into the parameter that the model has for it, if callers may set that."""
    name = model.call.format_field
    if ask.output.format is None or name not in model.executable_parameters:
        return {}
    return {str(name): ask.output.format}


def _parameter_origins(fit: _Fit) -> tuple[tuple[str, ...], tuple[str, ...], ParameterSource]:
    applied = tuple(
        f"{name}={value}" for name, value in fit.parameters.items() if name not in fit.given
    )
    source: ParameterSource = "none"
    if fit.given:
        source = "request_and_defaults" if applied else "request"
    elif applied:
        source = "default_policy" if fit.candidate.defaults else "model_defaults"
    return tuple(fit.parameters), applied, source


def _warnings(model: Model) -> tuple[str, ...]:
    replacement = model.migration.get("replacement")
    if not replacement:
        return ()
    retires_on = model.migration["retires_on"]
    return (f"The provider retires {model.id} on {retires_on}; {replacement} replaces it.",)
