"""Choose the model for a request: the caller's, or the strongest one within the budget."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from imageskill.lib.errors import ApiError, Detail, InvalidArguments
from jobs import registry
from jobs.planning.budget import BudgetExceeded, BudgetRequiresConfirmation
from jobs.planning.request import GenerationRequest
from jobs.providers.failures import ProviderUnavailable
from jobs.registry.catalog import RankedModel, SelectionPolicy, Tier
from jobs.registry.entry import Model
from jobs.registry.operations import Operation
from jobs.registry.unavailability import Availability

DEFAULT = "default"  # the model name that leaves the choice to the policy
EXPLICIT_POLICY = "explicit_model"
FINISHING = "finishing"
MAX_NAMED_IN_REASON = 5
# The public client sends these for `video create` and the like.
_MODALITIES_OF_INTENTS = {"video": "video", "audio": "audio", "image-to-3d": "3d"}

T = TypeVar("T")


class ModelUnavailable(ApiError):
    """The model is known but can't run here: no credentials, disabled, or cataloged only."""

    code = "MODEL_UNAVAILABLE"
    status = 409
    exit_code = 4
    message = "No model for this request is available right now."


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A model to try, with the parameters that the policy adds."""

    model: Model
    defaults: Mapping[str, Any] = field(default_factory=dict)
    is_lower_tier: bool = False  # the intent wants a higher tier, which no guard allows


@dataclass(frozen=True, kw_only=True)
class Selection(Generic[T]):
    """The plan of the chosen candidate, and why it was chosen."""

    fitted: T
    policy: str
    capability_id: str
    reason: str


@dataclass(frozen=True)
class _Rejection:
    model: Model
    error: ApiError


def choose(
    request: GenerationRequest, *, availability: Availability, fit: Callable[[Candidate], T]
) -> Selection[T]:
    """Choose the model for a request; `fit` plans a candidate or raises why it can't.

    A model that the caller named is never replaced: the error of its plan is raised. Otherwise
    the registry's ranking decides, and where no model fits, the error of the closest is raised.
    """
    check_modality(_wanted_modality(request))
    if request.model and request.model != DEFAULT:
        model = named_model(request)
        check_available(model, availability)
        return Selection(
            fitted=fit(Candidate(model=model)),
            policy=EXPLICIT_POLICY,
            capability_id=model.capability_id,
            reason="the request named this model",
        )
    return _by_policy(request, availability=availability, fit=fit)


def _wanted_modality(request: GenerationRequest) -> str | None:
    """Return the kind of media; callers that have no other word for it say so by the intent."""
    if request.modality or request.model:
        return request.modality
    return _MODALITIES_OF_INTENTS.get(request.intent or "")


def check_modality(modality: str | None) -> None:
    """Raise `ModelUnavailable` where no model that can run makes this kind of media."""
    if modality and modality not in {
        model.modality for model in registry.models() if model.is_wired
    }:
        raise ModelUnavailable(
            f"No model of modality {modality} can run here.",
            recovery={"suggested_command": "image-skill models list --available --json"},
        )


def named_model(request: GenerationRequest) -> Model:
    """Return the model that a request names. Raises `InvalidArguments` for an unknown name."""
    name = request.model or DEFAULT
    model = registry.find(name, provider=request.provider)
    if model is None:
        near = registry.near_matches(name)
        hint = f"; near matches: {', '.join(near)}" if near else ""
        show = f"show {near[0]}" if near else "list"
        raise InvalidArguments(
            "There is no such model.",
            details=[Detail(field="model", message=f"is not a known model{hint}")],
            recovery={"suggested_command": f"image-skill models {show} --json"},
        )
    if request.provider and request.provider != model.provider:
        message = f"differs from the provider of {model.id}, {model.provider}"
        raise InvalidArguments(details=[Detail(field="provider", message=message)])
    if request.modality and model.modality != request.modality:
        message = f"is for {model.modality}, not for {request.modality}"
        raise InvalidArguments(details=[Detail(field="model", message=message)])
    if model.is_wired and model.operation != request.operation:
        message = f"is for {model.operation}, not for {request.operation}"
        raise InvalidArguments(details=[Detail(field="model", message=message)])
    return model


def check_available(model: Model, availability: Availability) -> None:
    """Raise `ModelUnavailable` or `ProviderUnavailable` where the model can't run now."""
    unavailability = availability.unavailability(model)
    if unavailability is None:
        return
    message = f"{model.id} is not available: {unavailability.message}."
    if unavailability.retry_after_s is not None:
        raise ProviderUnavailable(
            message, recovery={"retry_after_seconds": unavailability.retry_after_s}
        )
    raise ModelUnavailable(
        message, recovery={"suggested_command": "image-skill models list --available --json"}
    )


def default_model(operation: Operation, availability: Availability) -> Model:
    """Return the model of a plain request: the first available of the ranking, else its first."""
    ranking = registry.load().policies[operation].ranking
    available = (rank.model for rank in ranking if availability.is_selectable(rank.model))
    return next(available, ranking[0].model)


def _by_policy(
    request: GenerationRequest, *, availability: Availability, fit: Callable[[Candidate], T]
) -> Selection[T]:
    policy = registry.load().policies[request.operation]
    rejections: list[_Rejection] = []
    for candidate in _candidates(request, policy):
        if candidate.model.id in availability.retired:
            continue
        try:
            check_available(candidate.model, availability)
            fitted = fit(candidate)
        except ApiError as error:
            if isinstance(error, BudgetRequiresConfirmation) and not policy.passes_by_unknown_cost:
                raise
            rejections.append(_Rejection(candidate.model, error))
            continue
        return Selection(
            fitted=fitted,
            policy=policy.id,
            capability_id=policy.capability_id or candidate.model.capability_id,
            reason=_reason(request, candidate, rejections),
        )
    raise _closest_rejection(rejections)


def _candidates(request: GenerationRequest, policy: SelectionPolicy) -> Iterator[Candidate]:
    """Yield the ranking, each model's highest tier first, then every other model."""
    every = registry.models()
    if request.provider and request.provider not in {model.provider for model in every}:
        raise InvalidArguments(
            "There is no such provider.",
            details=[Detail(field="provider", message="is not a known provider")],
        )
    ranked = [rank.model for rank in policy.ranking]
    for rank in policy.ranking:
        yield from (
            candidate
            for candidate in _tiers(request, rank)
            if _is_from_provider(request.provider, candidate.model)
        )
    for model in every:
        if (
            model not in ranked
            and model.is_wired
            and model.operation == request.operation
            and model.prompt.use == "required"  # a missing prompt never selects a variation
            and _is_from_provider(request.provider, model)
        ):
            yield Candidate(model=model)


def _tiers(request: GenerationRequest, rank: RankedModel) -> Iterator[Candidate]:
    wanted = _intent_classes(request.intent)
    has_guard = request.max_estimated_usd_per_image is not None or request.max_usd is not None
    is_finishing = FINISHING in wanted and any(tier.intents == FINISHING for tier in rank.tiers)
    for tier in rank.tiers:
        if _is_eligible(tier, wanted, has_guard=has_guard):
            yield Candidate(
                model=rank.model,
                defaults=tier.parameters,
                is_lower_tier=is_finishing and tier.intents != FINISHING,
            )


def _is_eligible(tier: Tier, wanted: set[str], *, has_guard: bool) -> bool:
    if tier.intents is None:
        return True
    # A more expensive tier is chosen only under a guard that allows it.
    return tier.intents in wanted and (tier.intents != FINISHING or has_guard)


def _intent_classes(intent: str | None) -> set[str]:
    words = set(re.findall(r"[a-z]+", (intent or "").lower()))
    return {name for name, known in registry.load().intent_classes.items() if known & words}


def _is_from_provider(provider: str | None, model: Model) -> bool:
    return provider is None or model.provider == provider


def _reason(request: GenerationRequest, candidate: Candidate, rejections: list[_Rejection]) -> str:
    best = "hosted default selected the strongest currently available quality-first"
    parts = [f"{best} {request.operation} model"]
    if candidate.is_lower_tier:
        parts.append("kept to its lower tier, since the higher one needs a guard that allows it")
    passed = {
        rejection.model.id: _describe_error(rejection.error)
        for rejection in rejections
        if not isinstance(rejection.error, ModelUnavailable) and rejection.model != candidate.model
    }
    if passed:
        names = [f"{model_id} ({why})" for model_id, why in passed.items()]
        more = (
            [f"{len(names) - MAX_NAMED_IN_REASON} more"] if len(names) > MAX_NAMED_IN_REASON else []
        )
        parts.append(f"passed by {', '.join(names[:MAX_NAMED_IN_REASON] + more)}")
    return "; ".join(parts)


def _describe_error(error: ApiError) -> str:
    match error:
        case BudgetExceeded():
            return "above the budget"
        case BudgetRequiresConfirmation():
            return "cost unknown beforehand"
        case ProviderUnavailable():
            return "its provider is failing"
        case _:
            return "does not take this request"


def _closest_rejection(rejections: list[_Rejection]) -> ApiError:
    """Return the error of the candidate that came closest to running the request."""
    errors = [rejection.error for rejection in rejections]
    if exceeded := [error for error in errors if isinstance(error, BudgetExceeded)]:
        return min(exceeded, key=lambda error: error.planned_usd)
    runnable = [e for e in errors if not isinstance(e, ModelUnavailable | ProviderUnavailable)]
    unknown = [error for error in runnable if isinstance(error, BudgetRequiresConfirmation)]
    failing = [error for error in errors if isinstance(error, ProviderUnavailable)]
    return next(iter([*unknown, *runnable, *failing]), ModelUnavailable())
