"""Which models the jobs of a made-up history use, as the planner plans each of them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings

from jobs.planning import planner
from jobs.planning.asks import ImageInfo, ResolvedRequest
from jobs.planning.planner import Plan
from jobs.planning.requests import GenerationRequest
from jobs.registry.unavailability import Availability
from jobs.running import provider_requests
from jobs.submission.preparation import PreparedRequest, request_out

# model -> how often, seconds it takes
CREATES = {
    "local.sketch": (14, 1),
    "fal.z-image-turbo": (10, 3),
    "fal.flux-dev": (9, 6),
    "fal.kling-image-v3-text-to-image": (5, 5),
    "fal.nano-banana-2": (8, 14),
    "fal.gemini-3-pro-image-preview": (4, 22),
    "openai.gpt-image-2": (9, 31),
    "openai.gpt-image-1.5": (4, 28),
    "xai.grok-imagine-image": (6, 8),
}
EDITS = {
    "local.sketch-remix": (3, 1),
    "fal.flux-pro-kontext": (4, 9),
    "fal.nano-banana-2-edit": (3, 15),
}


@dataclass(slots=True)
class Recipe:
    """What jobs of one model have in common, as the planner decided it."""

    plan: Plan
    document: dict[str, Any]
    seconds: float


def write_down() -> dict[str, Recipe]:
    """Have the planner plan each model once."""
    return {name: _recipe(name, seconds) for name, (_, seconds) in {**CREATES, **EDITS}.items()}


def _recipe(name: str, seconds: float) -> Recipe:
    is_edit = name in EDITS
    picture = ImageInfo(mime_type="image/png", content_length=100_000, width=1024, height=1024)
    ask = ResolvedRequest(
        operation="edit" if is_edit else "create",
        prompt="an image",
        model=name,
        input_image=picture if is_edit else None,
        accept_unknown_cost=True,
    )
    plan = planner.plan(
        ask, availability=Availability(()), margin=Decimal(settings.TARGET_GROSS_MARGIN)
    )
    request = GenerationRequest(operation=ask.operation, model=name, accept_unknown_cost=True)
    prepared = PreparedRequest(request=request, plan=plan, assets={})
    return Recipe(
        plan, provider_requests.plan_snapshot(plan) | {"request": request_out(prepared)}, seconds
    )
