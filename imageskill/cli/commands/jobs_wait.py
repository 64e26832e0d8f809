"""`image-skill jobs wait`."""

import time

from imageskill.cli import output, pending_spends
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.errors import RequestFailed, TimedOut
from imageskill.cli.grammar import requests
from imageskill.cli.grammar.reading import Call
from imageskill.cli.session import Session
from imageskill.cli.transport import http_client

TERMINAL = {"completed", "failed", "canceled"}


def run(session: Session) -> CommandResult:
    """Poll until the job has ended; raises TimedOut."""
    with output.progress("Waiting", is_shown=not session.call.is_on("json")):
        answer = _wait(session)
    pending_spends.settle_job(session.config_path, answer)
    return answer


def _wait(session: Session) -> CommandResult:
    call = session.call
    token = session.token(is_required=True)
    assert token is not None
    pause_s = call.get("poll-interval-ms") / 1000
    deadline = time.monotonic() + call.get("timeout-ms") / 1000
    while True:
        is_last = time.monotonic() + pause_s > deadline
        answer = _poll(session, token.text, is_last=is_last)
        if answer and _has_ended(answer):
            return _with_times(answer, call)
        if is_last:
            raise _timed_out(call)
        time.sleep(pause_s)


def _poll(session: Session, token: str, *, is_last: bool) -> CommandResult | None:
    """Poll once; return None where the connection failed and there is time to try again."""
    try:
        return http_client.send(session.api, requests.build(session.call), token=token)
    except RequestFailed as problem:
        if is_last or not problem.retryable:
            raise
        return None


def _has_ended(answer: CommandResult) -> bool:
    if not answer.is_ok:
        error = answer.envelope.get("error")
        return not (isinstance(error, dict) and error.get("retryable") is True)
    job = answer.data.get("job")
    return isinstance(job, dict) and job.get("status") in TERMINAL


def _with_times(answer: CommandResult, call: Call) -> CommandResult:
    if not answer.is_ok:
        return answer
    request = answer.data.get("request")
    times = {
        "timeout_ms": call.get("timeout-ms"),
        "poll_interval_ms": call.get("poll-interval-ms"),
    }
    return answer.with_data(request=(request if isinstance(request, dict) else {}) | times)


def _timed_out(call: Call) -> TimedOut:
    job_id = call.given["job-id"]
    return TimedOut(
        f"The job {job_id} had not ended after {call.get('timeout-ms')} ms.",
        suggested_command=f"image-skill jobs wait {job_id} --json",
        retry_after_seconds=max(1, round(call.get("poll-interval-ms") / 1000)),
    )
