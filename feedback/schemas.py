"""Requests and responses of the feedback endpoint."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from imageskill.lib.schemas import Body, Data, Readable

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=40)]
LongText = Annotated[str, StringConstraints(max_length=20_000), Readable]


class ReportIn(Body):
    """A report; a title or a body is required, the other fields make it more useful."""

    type: Slug = "user_feedback"
    title: Annotated[str, StringConstraints(max_length=200), Readable] = ""
    body: LongText = ""
    command: LongText = ""
    expected: LongText = ""
    actual: LongText = ""
    friction: LongText = ""
    proof_needed: LongText = ""
    strategic_reason: LongText = ""
    surface: list[Slug] = Field(default_factory=list, max_length=20)
    evidence: list[Annotated[str, StringConstraints(min_length=1, max_length=300), Readable]] = (
        Field(default_factory=list, max_length=50)
    )
    severity: Literal["low", "medium", "high", "critical"] = "medium"
    confidence: Literal["low", "medium", "high"] = "medium"
    next_state: Slug = "watch"
    dedupe_key: Annotated[str, StringConstraints(max_length=200), Readable] = ""
    source: Annotated[str, StringConstraints(max_length=80), Readable] = ""
    trace_id: Annotated[str, StringConstraints(max_length=64), Readable] = ""
    allow_weak_signal: bool = False


class QualityOut(Data):
    """How actionable the report is: a score out of 100, and which fields are missing."""

    score: int
    missing: list[str]


class ReportOut(Data):
    """The stored report."""

    feedback_id: str
    state: str
    duplicate_of: str | None
    weak_signal: bool
    quality: QualityOut
    event_id: str
