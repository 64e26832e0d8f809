"""Requests to plan, and which models can run them."""

from decimal import Decimal

from jobs import registry
from jobs.planning import planner
from jobs.planning.request import GenerationRequest, ImageInfo, Reference
from jobs.registry.unavailability import (
    MODEL_DISABLED,
    NO_CREDENTIALS,
    Availability,
    provider_failing,
)

MARGIN = Decimal("0.40")
EVERYBODY = Availability()
IMAGES: dict[str, ImageInfo] = {}
"""Every image a test has made, by asset id."""


def only(*providers):
    """No other provider has credentials."""
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
    """The asset id of an image."""
    info = ImageInfo(
        **{
            "mime_type": "image/png",
            "content_length": 100_000,
            "width": 1024,
            "height": 1024,
            **facts,
        }
    )
    asset_id = f"image_{'-'.join(str(value) for value in vars(info).values())}"
    IMAGES[asset_id] = info
    return asset_id


def reference(role="reference_image", index=0, **fields):
    return Reference(role=role, index=index, **{"asset_id": image(), **fields})


def request(**fields):
    for name in ("max_usd", "max_estimated_usd_per_image"):
        if isinstance(fields.get(name), str):
            fields[name] = Decimal(fields[name])
    return GenerationRequest(
        **{"operation": "create", "prompt": "a red kite over the sea", **fields}
    )


def plan(availability=EVERYBODY, **fields):
    return planner.plan(request(**fields), images=IMAGES, availability=availability, margin=MARGIN)


def edit(availability=EVERYBODY, **fields):
    return plan(availability, **{"operation": "edit", "input_asset_id": image(), **fields})


def runnable(model, **fields):
    """The simplest request that a model takes."""
    terms = {"model": model.id, "operation": model.operation, "accept_unknown_cost": True}
    if model.prompt.use == "forbidden":
        terms["prompt"] = None
    if model.input_image:
        terms["input_asset_id"] = image()
    if model.mask and model.mask.required:
        terms["mask_asset_id"] = image()
    return {**terms, **fields}
