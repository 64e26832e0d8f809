"""Requests and responses of the feedback endpoint."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from imageskill.lib.schemas import Body, Data

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=40)]
_CONTROLS = dict.fromkeys(
    code for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n\r"
)


def _without_controls(text: str) -> str:
    """Drop control characters, which reports quote from terminals and no reader can see."""
    return text.translate(_CONTROLS)


_Readable = AfterValidator(_without_controls)
LongText = Annotated[str, StringConstraints(max_length=20_000), _Readable]


class ReportIn(Body):
    """A report; a title or a body is required, the other fields make it more useful."""

    type: Slug = "user_feedback"
    title: Annotated[str, StringConstraints(max_length=200), _Readable] = ""
    body: LongText = ""
    command: LongText = ""
    expected: LongText = ""
    actual: LongText = ""
    friction: LongText = ""
    proof_needed: LongText = ""
    strategic_reason: LongText = ""
    surface: list[Slug] = Field(default_factory=list, max_length=20)
    evidence: list[Annotated[str, StringConstraints(min_length=1, max_length=300), _Readable]] = (
        Field(default_factory=list, max_length=50)
    )
    severity: Literal["low", "medium", "high", "critical"] = "medium"
    confidence: Literal["low", "medium", "high"] = "medium"
    next_state: Slug = "watch"
    dedupe_key: Annotated[str, StringConstraints(max_length=200), _Readable] = ""
    source: Annotated[str, StringConstraints(max_length=80), _Readable] = ""
    trace_id: Annotated[str, StringConstraints(max_length=64), _Readable] = ""
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
