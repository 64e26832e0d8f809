"""`POST /v1/cli`: the command line for callers that have no shell, through the same grammar."""

import json
import time
from typing import Annotated, Any, cast

from django.conf import settings
from django.http import HttpResponse
from ninja import Router
from pydantic import ConfigDict, Field, StringConstraints

from billing.purchases import card_data
from imageskill import __version__
from imageskill.cli import errors, help_text, keys
from imageskill.cli.grammar import reading, requests
from imageskill.cli.grammar.reading import Call, UsageError
from imageskill.cli.grammar.requests import UploadRequired
from imageskill.cli.grammar.shared_flags import GLOBAL
from imageskill.lib.envelope import openapi_command
from imageskill.lib.errors import InvalidArguments, NotFound, Recovery, Timeout
from imageskill.lib.http import ApiRequest
from imageskill.lib.schemas import Body
from imageskill.web import inner_requests
from jobs.models import Job
from jobs.submission import waiting

router = Router(tags=["command line"])

_UPLOAD = "POST /v1/upload"


class LocalOnlyCommand(InvalidArguments):
    """The command or flag works on files, config or token of the caller's machine."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(
            f"{what} needs your own machine, which this endpoint can't reach. "
            f"Use {instead} instead.",
            details=[{"field": "argv", "message": f"use {instead}"}],
            recovery=Recovery(docs_url=f"{settings.PUBLIC_SITE_URL}/cli.md"),
        )


class CommandLine(Body):
    """The words after `image-skill`, as a shell would pass them."""

    model_config = ConfigDict(json_schema_extra={"example": {"argv": ["models", "list", "--json"]}})

    argv: list[Annotated[str, StringConstraints(max_length=100_000)]] = Field(
        max_length=200, description="The words of the command, without image-skill before them."
    )


@router.post(
    "/v1/cli",
    operation_id="run_command",
    openapi_extra=openapi_command("image-skill"),
    summary="Run a command of the command line",
)
def run(request: ApiRequest, body: CommandLine) -> Any:
    """Answer with the envelope of that command, its exit code in the header."""
    arguments = body.argv[1:] if body.argv[:1] == ["image-skill"] else body.argv
    if next((word for word in arguments if not word.startswith("-")), "") == "credits":
        card_data.screen_arguments(arguments)
    try:
        call = reading.parse(arguments)
    except UsageError as error:
        request.command = error.label
        raise _usage_error(error) from None
    request.command = call.label
    _require_hosted(call)
    if call.command.words == ("help",):
        return _help(call)
    if call.command.words == ("version",):
        return {"version": __version__, "package": "image-skill", "mode": "hosted_api"}
    if call.command.words == ("jobs", "wait"):
        return _wait(request, call)
    return _dispatch(request, call)


def _require_hosted(call: Call) -> None:
    if call.command.is_local:
        raise LocalOnlyCommand(f"`{call.label}`", call.command.instead)
    for flag in (*call.command.flags, *GLOBAL):
        if flag.is_local and call.given.get(flag.name) not in (None, False):
            instead = "the header Authorization" if "token" in flag.name else "the plain flags"
            raise LocalOnlyCommand(f"--{flag.name}", instead)


def _help(call: Call) -> dict[str, Any]:
    try:
        return help_text.explain(tuple(call.get("command") or ()))
    except errors.CliError as problem:
        raise InvalidArguments(str(problem)) from None


def _dispatch(request: ApiRequest, call: Call) -> HttpResponse:
    is_signup = call.command.words == ("signup",)
    try:
        # A token in the header does not mean to replace it: signup's own endpoint does that.
        inner = inner_requests.build(
            request, requests.build(call, **_extra_fields(request, call)), is_anonymous=is_signup
        )
    except UploadRequired as error:
        raise LocalOnlyCommand(f"A file or URL for --{error.flag}", _UPLOAD) from None
    return inner_requests.dispatch(request, inner, command=call.label)


def _extra_fields(request: ApiRequest, call: Call) -> dict[str, Any]:
    if call.command.words == ("signup",):
        return {"return_token": True}
    if call.command.words == ("credits", "quote") and not call.get("idempotency-key"):
        key = keys.new_key("quote")
        request.warnings.append(f"Made the key {key}; repeat with --idempotency-key {key}.")
        return {"idempotency_key": key}
    return {}


def _wait(request: ApiRequest, call: Call) -> HttpResponse:
    timeout_s = call.get("timeout-ms") / 1000
    until = time.monotonic() + min(timeout_s, settings.CREATE_WAIT_S)
    response = _dispatch(request, call)
    if response.status_code != 200 or _has_ended(response):
        return response
    job_id = call.given["job-id"]
    job = Job.objects.filter(public_id=job_id).first()
    if job is None:
        raise NotFound
    waiting.wait(job, timeout_s=until - time.monotonic())
    response = _dispatch(request, call)
    if response.status_code == 200 and not _has_ended(response):
        raise Timeout(
            f"The job {job_id} has not ended yet.",
            recovery=Recovery(
                suggested_command=f"image-skill jobs wait {job_id} --json", retry_after_seconds=1
            ),
        )
    return response


def _has_ended(response: HttpResponse) -> bool:
    status = json.loads(response.content)["data"]["job"]["status"]
    return status in {"completed", "failed", "canceled"}


def _usage_error(error: UsageError) -> InvalidArguments:
    problem = errors.from_usage_error(error)
    recovery = problem.recovery | {"docs_url": f"{settings.PUBLIC_SITE_URL}/cli.md"}
    return InvalidArguments(
        str(error),
        details=[{"field": f"--{name}", "message": str(error)} for name in error.flags]
        or [{"field": "argv", "message": str(error)}],
        recovery=cast("Recovery", recovery),
    )
