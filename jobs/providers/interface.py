"""The interface all providers share: a request goes in, images or a failure come out (ADR 7).

An adapter knows its vendor's wire and nothing of jobs, credits or the database. It makes no
second paid run: it tries again only what the provider said it did not take. Callers use
`jobs.providers.calls`, which adds the circuit breaker and the limit on concurrent runs.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import BinaryIO, Literal, Protocol

from jobs.providers.failures import NOT_SENT, ProviderError
from jobs.registry.entry import Model

INPUT = "input"
MASK = "mask"


@dataclass(frozen=True, kw_only=True)
class InputImage:
    """An image the caller gave. `open` reads the stored bytes, only when the adapter sends them.

    `role` is `input`, `mask` or a reference role of the contract (`reference_image`,
    `element_frontal`, `element_reference`); the three fields after it are the contract's.
    """

    role: str
    open: Callable[[], AbstractContextManager[BinaryIO]]
    mime_type: str
    content_length: int
    index: int = 0
    reference_index: int | None = None
    reference_task: str | None = None
    width: int = 0
    height: int = 0

    def open_in(self, stack: ExitStack) -> BinaryIO:
        """Open it for as long as the stack lasts.

        Raises `ProviderError` (not sent) where storage does not give it: nothing was begun, as
        a request that breaks off before its body ends is none.
        """
        try:
            return stack.enter_context(self.open())
        except Exception as error:  # storages have errors of their own
            raise ProviderError(NOT_SENT, reason="input_not_read") from error


@dataclass(frozen=True, kw_only=True)
class ProviderRequest:
    """What is to be made: accepted and priced already, so an adapter only translates.

    `model.call` says how to call the provider; `operation` is `image.generate` or `image.edit`;
    `parameters` are the caller's, after validation; `size` is the planned width and
    height where the registry knows one;
    `output_format` is png, jpeg, webp, or None for the model's own; `token_rates_usd` are the
    row's `price.rates_usd` as they were when the request was priced.
    """

    job_id: str
    model: Model
    operation: str
    deadline: datetime
    prompt: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    output_count: int = 1
    aspect_ratio: str = "1:1"
    output_format: str | None = None
    size: tuple[int, int] | None = None
    inputs: tuple[InputImage, ...] = ()
    references: tuple[InputImage, ...] = ()
    mask: InputImage | None = None
    token_rates_usd: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def model_id(self) -> str:
        """Return the id of the model."""
        return self.model.id


@dataclass(frozen=True, kw_only=True)
class Submission:
    """The provider took the request and works on it.

    The caller stores `request_id` and `state` (JSON, no secret) in a transaction of its own
    before it waits; with them any worker can collect later.
    """

    request_id: str
    state: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Output:
    """An image that was made.

    `file` is at its start, spills to disk when large, and is the caller's to close; `mime_type` is
    what the bytes say, not what the provider said.
    """

    file: BinaryIO
    mime_type: str
    content_length: int


MissingReason = Literal["not_made", "policy", "broken"]


@dataclass(frozen=True, kw_only=True)
class MissingOutput:
    """An output that was asked for and can't be delivered, while others can.

    `not_made`: the provider delivered fewer, and is taken not to bill it. `policy`: its own check
    flagged the image. `broken`: what it delivered can't be fetched or opened.
    """

    reason: MissingReason


@dataclass(frozen=True, kw_only=True)
class ProviderResult:
    """What the provider made of a request.

    `cost_usd` is the provider's exact charge for all outputs together, or None where it reports
    none (the planned price then stands); `usage` is what it counted, by the names of the row's
    `price.rates_usd`. `request_id` is the provider's, for staff. `missing` are the outputs of a
    batch that are not among `outputs`, of which there is one at least.
    """

    outputs: tuple[Output, ...]
    missing: tuple[MissingOutput, ...] = ()
    cost_usd: Decimal | None = None
    usage: Mapping[str, object] = field(default_factory=dict)
    request_id: str | None = None


Cancellation = Literal["canceled", "requested", "too_late", "unsupported"]


class Provider(Protocol):
    """One adapter. Every method may raise `failures.ProviderError` and nothing else.

    Whether it can be called at all is for its vendor (`Vendor.is_configured`) to say.
    """

    name: str

    def submit(self, request: ProviderRequest) -> Submission | ProviderResult:
        """Begin the run.

        Returns a submission to collect, or the result where the provider answers in the same
        call. Once bytes went out, no answer means `OUTCOME_UNKNOWN`.
        """

    def poll(self, submission: Submission, request: ProviderRequest) -> ProviderResult | None:
        """Poll once, without waiting; return the result, or None while it goes on."""

    def cancel(self, submission: Submission) -> Cancellation:
        """Cancel the run; it may be too late, and the provider may bill all the same."""
