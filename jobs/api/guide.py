"""The guide: where a caller stands on the way to an image, and the next command."""

from dataclasses import replace
from typing import Annotated, Literal

from django.conf import settings
from ninja import Query, Router

from accounts.api.auth import caller, optional_bearer
from billing import ledger
from imageskill.lib import clock
from imageskill.lib.envelope import openapi_command
from imageskill.lib.errors import ApiError
from imageskill.lib.http import ApiRequest
from jobs.api import answers, bodies
from jobs.catalog import availability, model_rows
from jobs.planning import planner, prices
from jobs.planning.request import GenerationRequest
from jobs.planning.selection import DEFAULT
from jobs.registry.entry import Model
from jobs.registry.unavailability import Availability
from jobs.submission import guide

router = Router(tags=["creating"])


@router.get(
    "/v1/guide",
    auth=optional_bearer,
    response=answers.GuideOut,
    operation_id="get_guide",
    openapi_extra=openapi_command("image-skill create"),
    summary="Show the next step to an image, and what it will cost; spends nothing",
)
def show_guide(
    request: ApiRequest,
    operation: Annotated[
        Literal["create", "edit"], Query(description="What to be guided to.")
    ] = "create",
    model: Annotated[
        bodies.Name | None, Query(description="A model id or alias; the default without.")
    ] = None,
    modality: Annotated[
        bodies.Modality | None, Query(description="The kind of media; an image without.")
    ] = None,
    prompt_present: Annotated[
        bool, Query(description="Whether you have a prompt; it is not sent.")
    ] = False,
) -> answers.GuideOut:
    """Return the next step; with a token it reads the agent's credits and jobs too."""
    agent, at = caller(request), clock.now()
    balances = None if agent is None else ledger.balances(agent.organization_id)
    need = _need(GenerationRequest(operation=operation, model=model, modality=modality))
    step = guide.assess(need, has_prompt=prompt_present, agent=agent, balances=balances, at=at)
    return answers.GuideOut(
        stage=step.stage,
        operation=operation,
        model=None if need.model is None else need.model.id,
        next_command=step.next_command,
        next_command_copy_runnable=not (step.missing_inputs or "PROMPT" in step.next_command),
        missing_inputs=list(step.missing_inputs),
        effects=answers.GuideEffectsOut(
            spends=step.spends,
            credits_required=need.credits,
            credits_available=None if balances is None else balances.preview + balances.paid,
        ),
        no_spend_next_command=step.no_spend_command,
        recovery=answers.GuideRecoveryOut(
            message=step.message,
            then_command=None if step.spends else guide.guide_command(need),
            retry_after_seconds=step.retry_after_s,
        ),
    )


def _need(request: GenerationRequest) -> guide.Need:
    usable = availability.current()
    found = guide.find_model(request, usable)
    model, cost = (None, None) if found is None else _planned(request, found, usable)
    return guide.Need(
        operation=request.operation,
        model=model,
        names_model=request.model not in (None, DEFAULT),
        takes_unknown_cost=cost is not None and cost.estimated_usd is None,
        credits=0 if cost is None else cost.credits,
    )


def _planned(
    request: GenerationRequest, found: Model, usable: Availability
) -> tuple[Model, prices.Cost]:
    """Return model and cost of the next command, as a dry run of it would say them.

    An edit can't be planned without its image; it has the catalog's price.
    """
    margin = settings.TARGET_GROSS_MARGIN
    if request.operation == "create":
        request = replace(request, prompt="PROMPT", accept_unknown_cost=True)
        try:
            plan = planner.plan(request, images={}, availability=usable, margin=margin)
            return plan.model, plan.cost
        except ApiError:  # it needs more than the guide knows of
            pass
    return found, model_rows.base_cost(found, margin=margin)
