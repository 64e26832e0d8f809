"""Check and plan a request: everything before the hold; nothing is written.

The order is the contract's: grant, model, parameters, images, policy, price, guards, caps, and
where prompts leave the house to be moderated, quota before that.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from accounts import grants
from accounts.models import Agent
from accounts.tokens import minting
from billing import ledger
from billing.limits import daily_use
from imageskill.lib import clock
from imageskill.lib.errors import NotFound
from jobs.assets import storage_quota
from jobs.catalog import availability
from jobs.models import Asset
from jobs.planning import planner
from jobs.planning.budget import BudgetExceeded, BudgetRequiresConfirmation
from jobs.planning.planner import Plan
from jobs.planning.request import GenerationRequest, ImageInfo
from jobs.registry.operations import REQUIRED_GRANTS
from jobs.submission import moderation


@dataclass(frozen=True, kw_only=True)
class PreparedRequest:
    """A plan that may run, with the stored images it uses by asset id."""

    plan: Plan
    assets: Mapping[str, Asset]


def prepare(
    agent: Agent | None, request: GenerationRequest, *, is_dry_run: bool
) -> PreparedRequest:
    """Check and plan a request. Raises whatever refuses it.

    Without an agent (a dry run) it can name no image.
    """
    if agent is not None:
        grants.require(agent, REQUIRED_GRANTS[request.operation])
    assets = _load_assets(agent, request)
    try:
        plan = planner.plan(
            request,
            images={asset_id: _image_info(asset) for asset_id, asset in assets.items()},
            availability=availability.current(),
            margin=settings.TARGET_GROSS_MARGIN,
        )
    except (BudgetRequiresConfirmation, BudgetExceeded):
        # The contract judges the prompt before the price: a denied prompt gets no quote.
        _check_prompt(request)
        raise
    _check_prompt(request)
    if agent is not None:
        grants.check_operation(agent, credits=plan.cost.credits, outputs=plan.output_count)
        if not is_dry_run:
            storage_quota.check(agent)
        if not is_dry_run and request.prompt and moderation.calls_out():
            check_quota(agent, credits=plan.cost.credits)
            moderation.check_by_endpoint(request.prompt)
    return PreparedRequest(plan=plan, assets=assets)


def check_quota(agent: Agent, *, credits: int) -> None:
    """Raise what the hold would raise now; it decides, and this only spares what comes before it.

    Raises `DailyJobLimit`, `CapabilityDenied` or `InsufficientCredits`.
    """
    daily_use.check(agent=agent, credits=credits, at=clock.now())
    ledger.check_funds(organization_id=agent.organization_id, credits=credits)


def _check_prompt(request: GenerationRequest) -> None:
    if request.prompt:
        moderation.check(request.prompt)


def _load_assets(agent: Agent | None, request: GenerationRequest) -> dict[str, Asset]:
    """Return the caller's own images that a request names. Raises `NotFound` with the field."""
    named = request.asset_ids
    if not named:
        return {}
    if agent is None:
        raise minting.auth_required()
    mine = Asset.objects.of(agent.organization_id).filter(public_id__in=set(named.values()))
    assets = {asset.public_id: asset for asset in mine}
    for field, asset_id in named.items():
        if asset_id not in assets:
            raise NotFound(
                f"The image in {field} does not exist or is not yours.",
                details=[{"field": field, "message": "no such asset"}],
            )
    return assets


def _image_info(asset: Asset) -> ImageInfo:
    return ImageInfo(
        mime_type=asset.mime_type,
        content_length=asset.content_length,
        width=asset.width,
        height=asset.height,
        min_luma=asset.min_luma,
        min_alpha=asset.min_alpha,
        conversions=tuple(asset.conversions),
    )
