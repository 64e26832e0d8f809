"""From a plan to the row that stores it, and from the row to the request a provider gets."""

from decimal import Decimal
from functools import partial
from typing import Any, cast

from jobs import registry
from jobs.assets import storage
from jobs.models import Job, JobInput, Prompt
from jobs.planning.planner import Plan
from jobs.providers.interface import INPUT, MASK, InputImage, ProviderRequest
from jobs.registry.operations import WIRE_NAMES, Operation


def plan_snapshot(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON for `Job.plan`: without the prompt, exact numbers as text."""
    return {
        "parameters": dict(plan.parameters),
        "aspect_ratio": plan.aspect_ratio,
        "output_format": plan.output_format,
        "size": None if plan.size is None else list(plan.size),
        "selection": dict(plan.selection.document()),
        "token_rates_usd": {name: str(rate) for name, rate in plan.model.price.rates_usd.items()},
        "cost": plan.cost.stored(),
    }


def build(job: Job) -> ProviderRequest:
    """Build the request of a job from its row alone: the registry may have changed since."""
    plan = job.plan
    images = [
        _build_image(job_input) for job_input in job.inputs.select_related("asset").order_by("id")
    ]
    prompt = Prompt.objects.filter(job=job).values_list("text", flat=True).first()
    if job.deadline_at is None:
        raise ValueError(f"{job.public_id} has no deadline")
    return ProviderRequest(
        job_id=job.public_id,
        model=registry.get(job.model_id),
        operation=WIRE_NAMES[cast("Operation", job.operation)],
        deadline=job.deadline_at,
        prompt=prompt or "",
        parameters=plan["parameters"],
        output_count=job.output_count,
        aspect_ratio=plan["aspect_ratio"],
        output_format=plan["output_format"],
        size=None if plan["size"] is None else (plan["size"][0], plan["size"][1]),
        inputs=tuple(image for image in images if image.role == INPUT),
        references=tuple(image for image in images if image.role not in {INPUT, MASK}),
        mask=next((image for image in images if image.role == MASK), None),
        token_rates_usd={name: Decimal(rate) for name, rate in plan["token_rates_usd"].items()},
    )


def _build_image(job_input: JobInput) -> InputImage:
    asset = job_input.asset
    return InputImage(
        role=job_input.role,
        open=partial(storage.open_asset, asset.storage_key),
        mime_type=asset.mime_type,
        content_length=asset.content_length,
        index=job_input.index,
        reference_index=job_input.reference_index,
        reference_task=job_input.reference_task or None,
        width=asset.width,
        height=asset.height,
    )
