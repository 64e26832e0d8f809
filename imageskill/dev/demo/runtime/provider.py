"""The provider of a history: it takes its time and ends as it is told, for every model alike."""

from dataclasses import dataclass

from imageskill.dev.demo.runtime import images
from imageskill.dev.demo.runtime.timeline import Timeline
from jobs.providers.failures import (
    BROKEN_RUN,
    POLICY,
    TIMED_OUT,
    Failure,
    ProviderError,
)
from jobs.providers.interface import Cancellation, ProviderRequest, ProviderResult, Submission

_ACCEPT_S = 0.3
_AFTER_ACCEPTANCE = {BROKEN_RUN, TIMED_OUT}
_BILLED = {BROKEN_RUN, POLICY}


class WorkerKilled(BaseException):
    """The worker dies in the middle of the call; nobody may catch that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the next run goes: its seconds, then an image of some kind, a failure, or a death."""

    seconds: float = 1.0
    image: images.Kind = images.Kind.GOOD
    seed: int = 0
    failure: Failure | None = None
    kills_worker: bool = False


class DemoProvider:
    """Draws small images; nobody outside of this process is called."""

    def __init__(self, timeline: Timeline) -> None:
        self.name = "demo"
        self.next = Ending()
        self._timeline = timeline

    def submit(self, request: ProviderRequest) -> Submission | ProviderResult:
        """Submit: fal answers with a request id, the others with the outcome."""
        self._timeline.wait(_ACCEPT_S)
        if self.next.kills_worker:
            raise WorkerKilled
        failure = self.next.failure
        if failure is not None and failure not in _AFTER_ACCEPTANCE:
            raise self._failed(failure)
        if request.model.provider == "fal":
            return Submission(request_id=request.job_id.removeprefix("job_").lower(), state={})
        return self._outcome(request)

    def poll(self, submission: Submission, request: ProviderRequest) -> ProviderResult | None:
        """Return the outcome, after its time."""
        return self._outcome(request)

    def cancel(self, submission: Submission) -> Cancellation:
        """Cancel the run."""
        return "requested"

    def _outcome(self, request: ProviderRequest) -> ProviderResult:
        if self.next.failure is not None:
            raise self._failed(self.next.failure)
        self._timeline.wait(self.next.seconds)
        return ProviderResult(
            outputs=tuple(
                images.output(request, kind=self.next.image, seed=self.next.seed + number)
                for number in range(request.output_count)
            )
        )

    def _failed(self, failure: Failure) -> ProviderError:
        self._timeline.wait(self.next.seconds)
        return ProviderError(failure, reason="demo", is_billed=failure in _BILLED)
