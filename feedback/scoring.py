"""How actionable a report is: a score, the missing fields, and how to improve it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Points of each field, and the guidance for an author who left it out.
_PARTS: dict[str, tuple[int, str]] = {
    "title": (10, "Add a short title that names the problem."),
    "body": (15, "Add a body: what happened, what was expected, why it matters."),
    "command": (15, "Name the command or endpoint that you ran."),
    "expected": (15, "State what you expected."),
    "actual": (15, "State what happened instead."),
    "evidence": (15, "Cite evidence by id, such as trace:trace_… or job:job_…."),
    "proof_needed": (10, "State what would prove that it is resolved."),
    "surface": (5, "Name the surface it is about, such as cli, api or docs."),
}
WEAK_BELOW = 40


@dataclass(frozen=True, slots=True)
class ReportQuality:
    """The score of one report, out of 100, and what would raise it."""

    score: int
    missing: tuple[str, ...]
    guidance: tuple[str, ...]

    @property
    def is_weak(self) -> bool:
        """Whether the report alone is too little to act on."""
        return self.score < WEAK_BELOW


def score(report: Mapping[str, Any]) -> ReportQuality:
    """Score a report by which of its fields are filled in."""
    missing = tuple(part for part in _PARTS if not report.get(part))
    return ReportQuality(
        score=sum(points for part, (points, _) in _PARTS.items() if part not in missing),
        missing=missing,
        guidance=tuple(_PARTS[part][1] for part in missing),
    )
