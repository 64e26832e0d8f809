"""Batches of which a part is good: what can be delivered, and why the rest can't."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from jobs.providers.failures import BROKEN_RUN, POLICY, TRANSIENT, ProviderError
from jobs.providers.interface import MissingOutput, MissingReason, Output, ProviderRequest

Maker = Callable[[], Output]
"""Makes one output; raises `ProviderError` where it can't be delivered."""


def collect(
    makers: Iterable[Maker | MissingReason],
    request: ProviderRequest,
    *,
    is_final: bool,
    cost_usd: Decimal | None = None,
) -> tuple[tuple[Output, ...], tuple[MissingOutput, ...]]:
    """Make each output of a batch; return the good ones and what is missing, one at least good.

    An entry is how to make the output, or why there is none; those beyond the number that was
    asked for are left out. Raises `ProviderError` where none is good, and a transient one unless
    `is_final`: asking again may bring what is missing.
    """
    outputs: list[Output] = []
    reasons: list[MissingReason] = []
    codes: list[str] = []
    for maker in list(makers)[: request.output_count]:
        if isinstance(maker, str):
            reasons.append(maker)
            continue
        try:
            outputs.append(maker())
        except ProviderError as error:
            if error.failure is TRANSIENT and not is_final:
                close(outputs)
                raise
            reasons.append("broken")
            codes.append(error.reason)
    reasons += ["not_made"] * (request.output_count - len(outputs) - len(reasons))
    if not outputs:
        raise _nothing_good(reasons, codes, cost_usd=cost_usd)
    return tuple(outputs), tuple(MissingOutput(reason=reason) for reason in reasons)


def billed(reasons: Iterable[str]) -> list[str]:
    """Narrow to the outputs that the provider bills although they can't be delivered: they ran."""
    return [reason for reason in reasons if reason != "not_made"]


def close(outputs: Iterable[Output]) -> None:
    """Close the files of outputs that nobody will use."""
    for output in outputs:
        output.file.close()


def _nothing_good(
    reasons: list[MissingReason], codes: list[str], *, cost_usd: Decimal | None
) -> ProviderError:
    if "policy" in reasons:
        return ProviderError(POLICY, reason="outputs_flagged", cost_usd=cost_usd)
    return ProviderError(
        BROKEN_RUN, reason=codes[0] if codes else "outputs_missing", cost_usd=cost_usd
    )
