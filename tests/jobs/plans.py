"""Making requests to plan, and who can run them."""

from decimal import Decimal

from jobs import registry
from jobs.planning import planner
from jobs.planning.asks import ImageInfo, ResolvedReference, ResolvedRequest
from jobs.registry.unavailability import (
    MODEL_DISABLED,
    NO_CREDENTIALS,
    Availability,
    provider_failing,
)

MARGIN = Decimal("0.40")
EVERYBODY = Availability()


def only(*providers):
    """Everybody else has no credentials."""
    return Availability(
        tuple(
            (model.id, NO_CREDENTIALS)
            for model in registry.models()
            if model.provider not in providers
        )
    )


def without(*model_ids):
    return Availability(tuple((model_id, MODEL_DISABLED) for model_id in model_ids))


def broken(model_id, *, retry_after_s=30):
    return Availability(((model_id, provider_failing(retry_after_s=retry_after_s)),))


def image(**facts):
    return ImageInfo(
        **{
            "mime_type": "image/png",
            "content_length": 100_000,
            "width": 1024,
            "height": 1024,
            **facts,
        }
    )


def reference(role="reference_image", index=0, **fields):
    facts = fields.pop("facts", image())
    return ResolvedReference(role=role, index=index, facts=facts, **fields)


def ask(**fields):
    for name in ("max_usd", "max_estimated_usd_per_image"):
        if isinstance(fields.get(name), str):
            fields[name] = Decimal(fields[name])
    return ResolvedRequest(**{"operation": "create", "prompt": "a red kite over the sea", **fields})


def plan(availability=EVERYBODY, **fields):
    return planner.plan(ask(**fields), availability=availability, margin=MARGIN)


def edit(availability=EVERYBODY, **fields):
    return plan(availability, **{"operation": "edit", "input_image": image(), **fields})


def runnable(model, **fields):
    """The simplest request that a model takes."""
    request = {"model": model.id, "operation": model.operation, "accept_unknown_cost": True}
    if model.prompt.use == "forbidden":
        request["prompt"] = None
    if model.input_image:
        request["input_image"] = image()
    if model.mask and model.mask.required:
        request["mask"] = image()
    return {**request, **fields}
