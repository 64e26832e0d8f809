"""The entry point: read the command line, run the command, write the answer, exit with its code."""

import signal
import sys
from importlib import import_module
from typing import NoReturn

from imageskill.cli import envelopes, output
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.errors import CliError, InternalClientError, from_usage_error
from imageskill.cli.grammar import reading
from imageskill.cli.session import Session

INTERRUPTED = 130
TERMINATED = 143
NOT_WRITTEN = 9
_MCP = "image-skill mcp"


def main() -> NoReturn:
    """Run `image-skill` and exit."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        output.write_diagnostic("Interrupted. `image-skill doctor` lists unfinished requests.")
        code = INTERRUPTED
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line and return the exit code."""
    try:
        call = reading.parse(arguments)
    except reading.UsageError as error:
        answer = envelopes.failure(from_usage_error(error))
        return _deliver(answer, label=error.label, is_json="--json" in arguments)
    try:
        outcome = _run(call)
    except output.NotWritten:  # what is printed as it is, such as a script
        return NOT_WRITTEN
    if outcome is None:
        return 0
    return _deliver(outcome, label=call.label, is_json=call.is_on("json"))


def _run(call: reading.Call) -> CommandResult | None:
    """Run the command's module, loaded by name so that a command loads only what it needs."""
    module = import_module(f"imageskill.cli.commands.{call.command.module or 'plain'}")
    try:
        answer: CommandResult | None = module.run(Session(call))
    except CliError as problem:
        return envelopes.failure(problem)
    except output.NotWritten:
        raise
    except Exception as error:  # noqa: BLE001 a defect becomes an envelope too
        output.write_diagnostic(f"{type(error).__name__} at {_error_location(error)}")
        return envelopes.failure(
            InternalClientError("This client failed; stderr says where. Please report it.")
        )
    return answer


def _deliver(answer: CommandResult, *, label: str, is_json: bool) -> int:
    """Write the answer and return the exit code; an answer that got lost is no success."""
    if label == _MCP:  # its standard output is the protocol's
        output.write_diagnostic(answer.error_text)
        return answer.exit_code
    try:
        output.write(answer, label=label, is_json=is_json)
    except output.NotWritten as error:
        job_id = answer.data.get("job_id")
        if job_id or not error.has_reader_gone:
            output.write_diagnostic(
                f"The answer could not be written to standard output: {error}."
                + f" The result is kept: image-skill jobs show {job_id} --json" * bool(job_id)
            )
        return answer.exit_code or NOT_WRITTEN
    if answer.after_output:
        answer.after_output()
    return answer.exit_code


def _error_location(error: BaseException) -> str:
    """Return the line that failed, without values."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if trace is None:
        return "an unknown line"
    module = trace.tb_frame.f_globals.get("__name__", "?")
    return f"{module}:{trace.tb_lineno}"


def _terminate(*_: object) -> NoReturn:
    sys.exit(TERMINATED)  # unwinds, so that drafts of files are removed
