"""Plan a create or edit: what it will do and cost, before anything is written or paid.

One pure function serves dry runs and live runs alike. Everything that can refuse a request for
its own terms is here; what depends on the caller (grants, quota, prompt policy) is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from imageskill.lib.errors import Detail, InvalidArguments
from jobs.images.formats import MIME_TYPE_BY_OUTPUT_FORMAT
from jobs.planning import budget, inputs, prices, references, selection, sizes
from jobs.planning import parameters as model_parameters
from jobs.planning.prices import Cost
from jobs.planning.request import GenerationRequest, Images
from jobs.planning.selection import Candidate
from jobs.planning.selection_record import ParameterSource, SelectionRecord, expected_output
from jobs.registry.entry import Model, Size
from jobs.registry.operations import Operation
from jobs.registry.prices import TierPrice
from jobs.registry.unavailability import Availability


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will run, and at which price.

    `parameters` are the caller's, checked, with the defaults that decide the price;
    `cost.credits` is the planned debit for all outputs, which is the hold; `capability_id` is
    what the answer names: the umbrella where the policy chose the model.
    """

    request: GenerationRequest
    model: Model
    parameters: Mapping[str, Any]
    output_format: str | None
    size: Size | None
    cost: Cost
    selection: SelectionRecord
    capability_id: str
    warnings: tuple[str, ...] = ()

    @property
    def operation(self) -> Operation:
        """Return create or edit."""
        return self.request.operation

    @property
    def prompt(self) -> str:
        """Return the prompt, empty for a model that accepts none."""
        return self.request.prompt or ""

    @property
    def aspect_ratio(self) -> str:
        """Return the aspect ratio that the outputs will have."""
        return self.request.effective_aspect_ratio

    @property
    def output_count(self) -> int:
        """Return how many outputs the run makes."""
        return self.request.output_count

    def request_document(self) -> dict[str, Any]:
        """Return the request as answers repeat it, with the selection and without the prompt."""
        request = self.request
        return {
            "operation": request.operation,
            "model": request.model,
            "provider": request.provider,
            "intent": request.intent,
            "aspect_ratio": self.aspect_ratio,
            "output_count": request.output_count,
            "input_asset_id": request.input_asset_id,
            "mask_asset_id": request.mask_asset_id,
            "references": [
                {name: value for name, value in vars(reference).items() if value is not None}
                for reference in request.references
            ],
            "selection": self.selection.document(),
        }


@dataclass(frozen=True, kw_only=True)
class _Fit:
    """A candidate that accepts the request."""

    candidate: Candidate
    given: tuple[str, ...]
    parameters: Mapping[str, Any]
    output_format: str | None
    size: Size | None
    cost: Cost


def plan(
    request: GenerationRequest, *, images: Images, availability: Availability, margin: Decimal
) -> Plan:
    """Decide the model, parameters, size and price of a request; same input, same plan.

    `images` holds every image that the request names. Raises `InvalidArguments`,
    `ModelUnavailable`, `ProviderUnavailable`, `ModelParameterInvalid`, `InputPolicyDenied`,
    `BudgetRequiresConfirmation` or `BudgetExceeded`.
    """
    _check_shape(request)
    chosen = selection.choose(
        request,
        availability=availability,
        fit=lambda candidate: _fit(request, candidate, images=images, margin=margin),
    )
    fit = chosen.fitted
    model = fit.candidate.model
    keys, defaults, source = _parameter_origins(fit)
    ratio = request.effective_aspect_ratio
    return Plan(
        request=request,
        model=model,
        parameters=fit.parameters,
        output_format=fit.output_format,
        size=fit.size,
        cost=fit.cost,
        capability_id=chosen.capability_id,
        selection=SelectionRecord(
            policy=chosen.policy,
            reason=chosen.reason,
            intent=request.intent,
            capability_id=model.capability_id,
            parameter_keys=keys,
            defaults_applied=defaults,
            parameter_source=source,
            **expected_output(model, fit.parameters, aspect_ratio=ratio, size=fit.size),
        ),
        warnings=(*_warnings(model), *_conversions(model, request, images)),
    )


def _check_shape(request: GenerationRequest) -> None:
    """Refuse a request that no model could run."""
    if not request.prompt and (request.operation == "create" or not request.model):
        raise InvalidArguments(details=[Detail(field="prompt", message="is required")])
    if request.operation == "create" and (request.input_asset_id or request.mask_asset_id):
        raise InvalidArguments(
            details=[Detail(field="input_asset_id", message="is for edit, not for create")]
        )
    if request.output_count < 1:
        raise InvalidArguments(details=[Detail(field="output_count", message="must be at least 1")])


def _fit(
    request: GenerationRequest, candidate: Candidate, *, images: Images, margin: Decimal
) -> _Fit:
    """Plan a candidate; raises why it does not accept the request."""
    model = candidate.model
    image = images[request.input_asset_id] if request.input_asset_id else None
    mask = images[request.mask_asset_id] if request.mask_asset_id else None
    _check_prompt(model, request)
    inputs.check(model, image=image, mask=mask)
    output_format = _output_format(model, request)
    given = {
        **request.model_parameters,
        **sizes.size_parameter(model, request.model_parameters, request.output),
        **_format_parameter(model, request),
    }
    accepted = model_parameters.check(model, given)
    parameters = {**_price_defaults(model), **candidate.defaults, **accepted}
    sizes.check(model, parameters)
    references.check(model, request.references, images)
    _check_count(model, request)
    _check_aspect_ratio(model, request)
    size = sizes.planned_size(model, parameters, aspect_ratio=request.effective_aspect_ratio)
    sizes.check_constraints(request.output, size)
    cost = prices.estimate(
        model,
        parameters=parameters,
        size=size,
        output_count=request.output_count,
        images_in=len(request.references) + (image is not None),
        input_size=(image.width, image.height) if image else None,
        margin=margin,
    )
    budget.check(request, cost, model_id=model.id)
    return _Fit(
        candidate=candidate,
        given=tuple(accepted),
        parameters=parameters,
        output_format=output_format,
        size=size,
        cost=cost,
    )


def _check_prompt(model: Model, request: GenerationRequest) -> None:
    rule, length = model.prompt, len(request.prompt or "")
    if rule.use == "forbidden":
        message = f"is not accepted by {model.id}" if request.prompt else None
    elif not length:
        message = f"is required by {model.id}"
    elif not rule.min_length <= length <= rule.max_length:
        message = f"must have {rule.min_length} to {rule.max_length} characters for {model.id}"
    else:
        message = None
    if message:
        raise InvalidArguments(details=[Detail(field="prompt", message=message)])


def _price_defaults(model: Model) -> dict[str, Any]:
    """Return the parameter that decides the price: a provider may change its own default."""
    rule = model.price.rule
    if not isinstance(rule, TierPrice):
        return {}
    return {rule.parameter: model.parameters[rule.parameter]["default"]}


def _check_count(model: Model, request: GenerationRequest) -> None:
    if request.output_count > model.output.max_count:
        message = f"must be at most {model.output.max_count} for {model.id}"
        raise InvalidArguments(details=[Detail(field="output_count", message=message)])


def _check_aspect_ratio(model: Model, request: GenerationRequest) -> None:
    rule = model.aspect_ratio
    if request.effective_aspect_ratio not in rule.values:
        message = f"must be one of {', '.join(rule.values)} for {model.id}"
    elif (
        rule.only_with_references
        and request.effective_aspect_ratio != "auto"
        and not request.references
    ):
        message = f"can only be set with references; {model.id} keeps the ratio of its input"
    else:
        return
    raise InvalidArguments(details=[Detail(field="aspect_ratio", message=message)])


def _output_format(model: Model, request: GenerationRequest) -> str | None:
    """Return the file format: the caller's where the model lets it be chosen, else its own."""
    wanted, name = request.output.format, model.call.format_field
    by_parameter = request.model_parameters.get(name) if name else None
    if wanted is None:
        return by_parameter or model.output.default_format
    if by_parameter not in {None, wanted}:
        message = f"differs from model_parameters.{name}"
    elif name is None and model.output.mime_types != (MIME_TYPE_BY_OUTPUT_FORMAT.get(wanted),):
        message = f"can't be chosen for {model.id}"
    elif MIME_TYPE_BY_OUTPUT_FORMAT.get(wanted) not in model.output.mime_types:
        message = f"must be one of {', '.join(model.output.mime_types)} for {model.id}"
    else:
        return wanted
    raise InvalidArguments(details=[Detail(field="output.format", message=message)])


def _format_parameter(model: Model, request: GenerationRequest) -> dict[str, Any]:
    """Return the parameter that carries the format, where callers may set one."""
    name = model.call.format_field
    if request.output.format is None or name not in model.executable_parameters:
        return {}
    return {str(name): request.output.format}


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
    replacement, retires_on = model.migration.replacement, model.migration.retires_on
    if not replacement:
        return ()
    return (f"The provider retires {model.id} on {retires_on}; {replacement} replaces it.",)


def _conversions(model: Model, request: GenerationRequest, images: Images) -> tuple[str, ...]:
    """Return which images are converted before they leave for the provider."""
    rules = {"input_asset_id": model.input_image, "mask_asset_id": model.mask}
    told = (
        inputs.conversion_warning(
            images[asset_id], rule=rules.get(field) or inputs.REFERENCE_RULE, field=field
        )
        for field, asset_id in request.asset_ids.items()
    )
    return tuple(warning for warning in told if warning)
