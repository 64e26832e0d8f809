"""Checking and planning a request: all that comes before the hold, and nothing is written.

The order is the contract's: grant, model, parameters, images, policy, price, guards, caps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts import grants
from accounts.models import Agent
from accounts.tokens import minting
from imageskill.lib.errors import NotFound
from jobs.catalog import availability
from jobs.models import Asset
from jobs.planning import planner
from jobs.planning.asks import ImageInfo, ResolvedReference, ResolvedRequest
from jobs.planning.budget import BudgetExceeded, BudgetRequiresConfirmation
from jobs.planning.planner import Plan
from jobs.planning.requests import GenerationRequest
from jobs.registry.entry import Operation
from jobs.submission import moderation

REQUIRED_GRANTS: Mapping[Operation, str] = {"create": "image.create", "edit": "image.edit"}


@dataclass(frozen=True, kw_only=True)
class PreparedRequest:
    """A request that may run, and what it would do."""

    request: GenerationRequest
    plan: Plan
    assets: Mapping[str, Asset]

    @property
    def input_asset(self) -> Asset | None:
        """The image that an edit begins with."""
        asset_id = self.request.input_asset_id
        return None if asset_id is None else self.assets[asset_id]


def prepare(
    agent: Agent | None, request: GenerationRequest, *, is_dry_run: bool
) -> PreparedRequest:
    """Check and plan a request; writes nothing. Raises whatever refuses it.

    Without an agent (a dry run) no image can be named.
    """
    if agent is not None:
        grants.require(agent, REQUIRED_GRANTS[request.operation])
    assets = _load_assets(agent, request)
    ask = _resolve(request, assets)
    try:
        plan = planner.plan(
            ask, availability=availability.current(), margin=settings.TARGET_GROSS_MARGIN
        )
    except (BudgetRequiresConfirmation, BudgetExceeded):
        _check_prompt(request, is_dry_run=is_dry_run)  # what is not allowed has no price
        raise
    _check_prompt(request, is_dry_run=is_dry_run)
    if agent is not None:
        grants.check_operation(agent, credits=plan.cost.credits, outputs=plan.output_count)
    return PreparedRequest(request=request, plan=plan, assets=assets)


def _check_prompt(request: GenerationRequest, *, is_dry_run: bool) -> None:
    if request.prompt:
        moderation.check(request.prompt, may_call_out=not is_dry_run)


def request_out(prepared: PreparedRequest) -> dict[str, Any]:
    """Write what was asked for and decided, as answers repeat it: without the prompt."""
    request, plan = prepared.request, prepared.plan
    return {
        "operation": request.operation,
        "model": request.model,
        "provider": request.provider,
        "intent": request.intent,
        "aspect_ratio": plan.aspect_ratio,
        "output_count": plan.output_count,
        "input_asset_id": request.input_asset_id,
        "mask_asset_id": request.mask_asset_id,
        "references": [
            {name: value for name, value in vars(one).items() if value is not None}
            for one in request.references
        ],
        "selection": dict(plan.selection.document()),
    }


def _load_assets(agent: Agent | None, request: GenerationRequest) -> dict[str, Asset]:
    """Load the images a request names: the caller's own, or `NotFound` naming the field."""
    wanted = request.asset_ids
    if not wanted:
        return {}
    if agent is None:
        raise minting.auth_required()
    found = Asset.objects.of(agent.organization_id).filter(public_id__in=set(wanted.values()))
    assets = {asset.public_id: asset for asset in found}
    for name, asset_id in wanted.items():
        if asset_id not in assets:
            raise NotFound(
                f"The image that {name} names does not exist or is not yours.",
                details=[{"field": name, "message": "no such asset"}],
            )
    return assets


def _resolve(request: GenerationRequest, assets: Mapping[str, Asset]) -> ResolvedRequest:
    def facts(asset_id: str | None) -> ImageInfo | None:
        return None if asset_id is None else _image_info(assets[asset_id])

    return ResolvedRequest(
        operation=request.operation,
        prompt=request.prompt,
        model=request.model,
        provider=request.provider,
        intent=request.intent,
        aspect_ratio=request.aspect_ratio,
        output=request.output,
        output_count=request.output_count,
        input_image=facts(request.input_asset_id),
        mask=facts(request.mask_asset_id),
        references=tuple(
            ResolvedReference(
                role=one.role,
                facts=_image_info(assets[one.asset_id]),
                index=one.index,
                reference_index=one.reference_index,
                reference_task=one.reference_task,
            )
            for one in request.references
        ),
        model_parameters=request.model_parameters,
        max_estimated_usd_per_image=request.max_estimated_usd_per_image,
        max_usd=request.max_usd,
        accept_unknown_cost=request.accept_unknown_cost,
    )


def _image_info(asset: Asset) -> ImageInfo:
    return ImageInfo(
        mime_type=asset.mime_type,
        content_length=asset.content_length,
        width=asset.width,
        height=asset.height,
    )
