"""The caller's budget guards: what a plan may cost before it is refused."""

from decimal import Decimal

from imageskill.lib.errors import ApiError
from jobs.planning.prices import Cost
from jobs.planning.request import GenerationRequest


class BudgetRequiresConfirmation(ApiError):
    """The cost is unknown before the run, and the caller has not accepted that."""

    code = "BUDGET_REQUIRES_CONFIRMATION"
    status = 409
    exit_code = 5
    message = "The cost is unknown before the run."


class BudgetExceeded(ApiError):
    """The planned provider cost is above a guard that the caller set."""

    code = "BUDGET_EXCEEDED"
    status = 409
    exit_code = 5
    message = "The planned cost is above the budget guard."
    planned_usd = Decimal(0)


def check(request: GenerationRequest, cost: Cost, *, model_id: str) -> None:
    """Refuse a cost that is unknown and not accepted, or above a guard.

    An accepted unknown cost is compared by its fallback, the most that will be charged.
    Raises `BudgetRequiresConfirmation` or `BudgetExceeded`.
    """
    if cost.estimated_usd is None and not request.accept_unknown_cost:
        raise BudgetRequiresConfirmation(
            f"The cost of {model_id} is unknown before the run; at most {cost.credits} credits "
            f"are held and charged. Accept an unknown cost, or choose a model with a known price.",
            recovery={"required_flag": "--accept-unknown-cost"},
        )
    _check_guard(
        cost.planned_usd_per_image,
        request.max_estimated_usd_per_image,
        model_id=model_id,
        flag="--max-estimated-usd-per-image",
        what="per image",
    )
    _check_guard(
        cost.planned_usd, request.max_usd, model_id=model_id, flag="--max-usd", what="in total"
    )


def _check_guard(
    planned: Decimal, guard: Decimal | None, *, model_id: str, flag: str, what: str
) -> None:
    if guard is None or planned <= guard:
        return
    error = BudgetExceeded(
        f"{model_id} would cost ${_format_usd(planned)} {what},"
        f" above the guard of ${_format_usd(guard)}.",
        recovery={"required_flag": flag},
    )
    error.planned_usd = planned
    raise error


def _format_usd(usd: Decimal) -> str:
    """Write dollars without exponent, trailing zeros, or more than six decimals (rounded up)."""
    short = usd.quantize(Decimal("0.000001"), rounding="ROUND_CEILING").normalize()
    return f"{short:f}"
