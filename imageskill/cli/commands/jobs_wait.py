"""`image-skill jobs wait`."""

import time

from imageskill.cli import journal, output, wire
from imageskill.cli.answers import Answer
from imageskill.cli.grammar import requests
from imageskill.cli.problems import TimedOut
from imageskill.cli.session import Session

TERMINAL = {"completed", "failed", "canceled"}


def run(session: Session) -> Answer:
    """Ask until the job is over; raises TimedOut."""
    with output.progress("Waiting", is_shown=not session.call.is_on("json")):
        answer = _wait(session)
    journal.settle_job(session.config_path, answer)
    return answer


def _wait(session: Session) -> Answer:
    call = session.call
    token = session.token(is_required=True)
    assert token is not None
    timeout_s = call.get("timeout-ms") / 1000
    pause_s = call.get("poll-interval-ms") / 1000
    deadline = time.monotonic() + timeout_s
    while True:
        answer = wire.ask(session.api, requests.build(call), token=token.text)
        job = answer.data.get("job")
        if not answer.is_ok or (isinstance(job, dict) and job.get("status") in TERMINAL):
            request = answer.data.get("request")
            known = request if isinstance(request, dict) else {}
            waited = {
                "timeout_ms": call.get("timeout-ms"),
                "poll_interval_ms": call.get("poll-interval-ms"),
            }
            return answer.with_data(request=known | waited) if answer.is_ok else answer
        left = deadline - time.monotonic()
        if left <= 0:
            job_id = call.given["job-id"]
            raise TimedOut(
                f"The job {job_id} was not over after {timeout_s:g} s.",
                suggested_command=f"image-skill jobs wait {job_id} --json",
                retry_after_seconds=max(1, round(pause_s)),
            )
        time.sleep(min(pause_s, left))
