"""The text of a report's issue: redacted, and unable to mention anybody or break its layout.

All of an agent's text is in fenced blocks that it can't close; in a title, characters with a
meaning to GitHub are followed by an invisible one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings

from feedback import redaction
from feedback.models import Report

_PARTS = (
    ("What happened", "body"),
    ("Command", "command"),
    ("Expected", "expected"),
    ("Actual", "actual"),
    ("Friction", "friction"),
    ("Proof needed", "proof_needed"),
    ("Why it matters", "strategic_reason"),
)
_MAX_PART_LENGTH = 6_000  # characters; seven of them stay under GitHub's 65,536
_MAX_TITLE_LENGTH = 200
_JOINER = "\u2060"  # a word joiner: invisible, and ends a mention, number or tag


@dataclass(frozen=True, slots=True)
class IssueText:
    """Title, body and labels of an issue, and how much of what was redacted."""

    title: str
    body: str
    labels: list[str]
    removed: Mapping[str, int]


def marker(report: Report) -> str:
    """Return the first line of a report's issue, which identifies it."""
    return f"<!-- image-skill-feedback: {report.public_id} -->"


def build(report: Report, *, prompts: Iterable[str] = ()) -> IssueText:
    """Return the issue's text. Raises `redaction.UnsafeText` where redaction can't make it safe."""
    prompts = list(prompts)
    removed: Counter[str] = Counter()

    def safe(text: str) -> str:
        cleaned = redaction.redact(text, prompts=prompts)
        removed.update(cleaned.removed)
        return cleaned.text

    title = safe(report.title or report.body[:_MAX_TITLE_LENGTH])
    parts = [(label, safe(getattr(report, name))) for label, name in _PARTS]
    evidence = safe("\n".join(report.evidence))
    _refuse_split(title, *(text for _, text in parts), evidence)
    if not _has_content([title, *(text for _, text in parts)]):
        raise redaction.UnsafeText("Nothing is left of it after redaction.")
    sections = [f"### {label}\n\n{_fenced(text)}" for label, text in parts if text.strip()]
    if evidence:
        sections.append(f"### Evidence\n\n{_fenced(evidence)}")
    body = "\n\n".join([marker(report), _facts(report), *sections])
    return IssueText(
        title=_plain_title(title), body=body, labels=labels(report), removed=dict(removed)
    )


def labels(report: Report) -> list[str]:
    """Return the labels that the settings map this type and severity to."""
    by_type = dict(rule.split("=", 1) for rule in settings.GITHUB_LABELS_BY_TYPE)
    by_severity = dict(rule.split("=", 1) for rule in settings.GITHUB_LABELS_BY_SEVERITY)
    chosen = [*settings.GITHUB_LABELS, by_type.get(report.type), by_severity.get(report.severity)]
    return list(dict.fromkeys(label for label in chosen if label))


def _facts(report: Report) -> str:
    """Return the structured fields as a list; every value is one of our own or a slug."""
    facts = [
        ("type", report.type),
        ("severity", report.severity),
        ("confidence", report.confidence),
        ("surface", ", ".join(report.surface)),
        ("quality", f"{report.quality_score} of 100"),
        ("seen again", str(report.repeats)),
        ("trace", report.trace_id),
    ]
    return "\n".join(f"- {name}: {_code(value)}" for name, value in facts if value)


def _code(text: str) -> str:
    return f"`{re.sub(r'[^A-Za-z0-9_., :-]', '', text)}`"


def _fenced(text: str) -> str:
    """Put text into a code block, where Markdown, HTML and mentions have no effect."""
    if len(text) > _MAX_PART_LENGTH:
        text = (
            f"{text[:_MAX_PART_LENGTH]}\n[{len(text) - _MAX_PART_LENGTH} more characters left out]"
        )
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.strip(chr(10))}\n{fence}"


def _plain_title(text: str) -> str:
    line = " ".join(text.split())
    line = re.sub(r"([@#<`*\[])", rf"\1{_JOINER}", line)
    line = re.sub(r"(?i)\b(gh)-(\d)", rf"\1-{_JOINER}\2", line)
    return line if len(line) <= _MAX_TITLE_LENGTH else f"{line[: _MAX_TITLE_LENGTH - 1]}…"


def _has_content(texts: Iterable[str]) -> bool:
    return any(re.sub(r"\[(?:secret|[\w ]+ removed)\]|\W", "", text) for text in texts)


def _refuse_split(*texts: str) -> None:
    """Check all parts as one text: a secret may begin in one field and end in the next."""
    redaction.check_hidden_secrets("\n".join(texts))
