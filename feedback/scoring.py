"""How well a report can be acted on: one score, what is missing, and how to say it better."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What each part is worth to whoever has to act on the report, and what to tell its author.
_PARTS: dict[str, tuple[int, str]] = {
    "title": (10, "Add a short title that names the problem."),
    "body": (15, "Add a body: what happened, what was expected, why it matters."),
    "command": (15, "Name the command or endpoint that you ran."),
    "expected": (15, "Say what you expected."),
    "actual": (15, "Say what happened instead."),
    "evidence": (15, "Cite evidence by id, such as trace:trace_… or job:job_…."),
    "proof_needed": (10, "Say what would prove that it is handled."),
    "surface": (5, "Name the surface it is about, such as cli, api or docs."),
}
WEAK_BELOW = 40


@dataclass(frozen=True, slots=True)
class Quality:
    """The verdict on one report; `score` is out of 100."""

    score: int
    missing: tuple[str, ...]
    guidance: tuple[str, ...]

    @property
    def is_weak(self) -> bool:
        """Whether there is too little to act on alone."""
        return self.score < WEAK_BELOW


def score(report: Mapping[str, Any]) -> Quality:
    """Judge a report by which of its parts say something."""
    missing = tuple(part for part in _PARTS if not report.get(part))
    return Quality(
        score=sum(worth for part, (worth, _) in _PARTS.items() if part not in missing),
        missing=missing,
        guidance=tuple(_PARTS[part][1] for part in missing),
    )
