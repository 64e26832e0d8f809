"""The next step of a caller who wants an image: what is missing, what it will cost, what is safe.

Nothing is written, reserved or sent to a provider.
"""

import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from accounts import grants
from accounts.models import Agent
from billing import ledger
from billing.limits import daily_use
from billing.purchases import purchase_hints
from imageskill.lib import clock
from jobs.planning import selection
from jobs.planning.request import GenerationRequest
from jobs.planning.selection import DEFAULT
from jobs.registry.entry import Model
from jobs.registry.operations import REQUIRED_GRANTS, Operation
from jobs.registry.unavailability import Availability
from jobs.submission import repeating

Stage = Literal[
    "prompt_required",
    "no_executable_model",
    "auth_required",
    "quota_required",
    "ready_to_create",
]
_PLACEHOLDERS = {"prompt": "PROMPT", "input": "IMAGE"}


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a caller wants to run, and what it costs by the catalog."""

    operation: Operation
    model: Model | None  # None where none can run
    names_model: bool  # whether the caller chose it
    takes_unknown_cost: bool
    credits: int


@dataclass(frozen=True, kw_only=True)
class Step:
    """Where a caller stands, and the command to go on with."""

    stage: Stage
    next_command: str
    missing_inputs: tuple[str, ...] = ()
    no_spend_command: str
    spends: bool = False
    message: str
    retry_after_s: int | None = None


def find_model(request: GenerationRequest, availability: Availability) -> Model | None:
    """Return the model to guide to: the caller's or the default; None where it can't run.

    Raises InvalidArguments for an unknown name or a model for something else.
    """
    if request.model is None or request.model == DEFAULT:
        try:
            selection.check_modality(request.modality)
        except selection.ModelUnavailable:
            return None
        model = selection.default_model(request.operation, availability)
    else:
        model = selection.named_model(request)
    return None if availability.unavailability(model) else model


def assess(
    need: Need,
    *,
    has_prompt: bool,
    agent: Agent | None,
    balances: ledger.Balances | None,
    at: datetime,
) -> Step:
    """Return the step that a caller is at; with an agent, its day is read in one statement."""
    takes_prompt = need.model is None or need.model.prompt.use == "required"
    if takes_prompt and not has_prompt:
        return _step("prompt_required", guide_command(need), "Add a prompt.", missing=("prompt",))
    if need.model is None:
        message = "What you want can't be made here now; choose a model that runs."
        return _step("no_executable_model", _models_command(need.operation), message)
    if agent is None or balances is None:
        signup = "image-skill signup --agent --agent-name NAME --runtime RUNTIME --json"
        message = "Sign up, or send the token of an agent."
        plan = _plan_command(need) if need.operation == "create" else None  # takes no token
        missing = ("agent_name", "runtime")
        return _step("auth_required", signup, message, missing=missing, no_spend=plan)
    return (
        _not_allowed(need, agent)
        or _at_limit(need, agent, at)
        or _short_of_credits(need, balances)
        or _ready(need)
    )


def guide_command(need: Need) -> str:
    """Return the command that asks for this guide again, with the prompt given."""
    words = ["image-skill", need.operation, "--guide", "--prompt", _PLACEHOLDERS["prompt"]]
    return shlex.join([*words, *_model_words(need), "--json"])


def _ready(need: Need) -> Step:
    missing = ("input",) if need.operation == "edit" else ()
    words = [*_run_words(need), "--idempotency-key", repeating.new_key()]
    return Step(
        stage="ready_to_create",
        next_command=shlex.join([*words, "--json"]),
        missing_inputs=missing,
        no_spend_command=_plan_command(need),
        spends=True,
        message="Everything is there: the next command spends credits and makes the image.",
    )


def _not_allowed(need: Need, agent: Agent) -> Step | None:
    """Return the step of an agent without the permission, or whose cap is below the price."""
    try:
        grants.require(agent, REQUIRED_GRANTS[need.operation])
    except grants.CapabilityDenied as denied:
        return _denied("auth_required", denied)
    try:
        grants.check_operation(agent, credits=need.credits, outputs=1)
    except grants.CapabilityDenied as denied:
        return _denied("quota_required", denied)
    return None


def _at_limit(need: Need, agent: Agent, at: datetime) -> Step | None:
    """Return the step of an agent whose jobs of the day or credits of a period are used up."""
    try:
        daily_use.check(agent=agent, credits=need.credits, at=at)
    except daily_use.DailyJobLimit:
        return _out_of_jobs(at)
    except grants.CapabilityDenied as denied:
        return _denied("quota_required", denied)
    return None


def _denied(stage: Stage, denied: grants.CapabilityDenied) -> Step:
    recovery = denied.recovery or {}
    command = recovery.get("suggested_command") or "image-skill whoami --json"
    return _step(stage, command, denied.text, no_spend="image-skill whoami --json")


def _out_of_jobs(at: datetime) -> Step:
    return Step(
        stage="quota_required",
        next_command="image-skill usage quota --json",
        no_spend_command="image-skill usage quota --json",
        message=(
            "The jobs of today are used up; they reset at 00:00 UTC. Paid credits or a sponsor "
            "raise how many there are."
        ),
        retry_after_s=int((clock.next_utc_midnight(at) - at).total_seconds()) + 1,
    )


def _short_of_credits(need: Need, balances: ledger.Balances) -> Step | None:
    left = balances.preview + balances.paid
    if left >= need.credits and not balances.owed:
        return None
    top_up = purchase_hints.build_top_up(
        preview=balances.preview, paid=balances.paid, owed=balances.owed
    )
    message = f"This takes {need.credits} credits and {left} are left: quote some more."
    return _step("quota_required", top_up.quote_command, message, no_spend=top_up.first_command)


def _step(
    stage: Stage,
    command: str,
    message: str,
    *,
    missing: tuple[str, ...] = (),
    no_spend: str | None = None,
) -> Step:
    return Step(
        stage=stage,
        next_command=command,
        missing_inputs=missing,
        no_spend_command=no_spend or command,
        message=message,
    )


def _plan_command(need: Need) -> str:
    command, operation, *flags = _run_words(need)
    return shlex.join([command, operation, "--dry-run", *flags, "--json"])


def _run_words(need: Need) -> list[str]:
    words = ["image-skill", need.operation]
    if need.operation == "edit":
        words += ["--input", _PLACEHOLDERS["input"]]
    if need.model is not None and need.model.prompt.use == "required":
        words += ["--prompt", _PLACEHOLDERS["prompt"]]
    words += _model_words(need)
    return [*words, "--accept-unknown-cost"] if need.takes_unknown_cost else words


def _model_words(need: Need) -> list[str]:
    return ["--model", need.model.id] if need.model is not None and need.names_model else []


def _models_command(operation: Operation) -> str:
    kind = "generate" if operation == "create" else "edit"
    return f"image-skill models list --available --operation image.{kind} --json"
