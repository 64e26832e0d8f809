"""An answer in a few lines, for clients that show a model only the text of a result."""

from collections.abc import Iterator
from typing import Any

MAX_LENGTH = 6_000


def summarize(envelope: dict[str, Any]) -> str:
    """Return what an answer says, a fact a line, cut at `MAX_LENGTH` characters."""
    lines = [f"Warning: {warning}" for warning in envelope.get("warnings") or ()]
    error = envelope.get("error")
    if error:
        lines.insert(0, f"{error['code']}: {error['message']}")
        lines += _lines({name: error.get(name) for name in ("details", "recovery", "retryable")})
    lines += _lines(envelope.get("data") or {})
    text = "\n".join(lines) or "Done."
    if len(text) <= MAX_LENGTH:
        return text
    return text[:MAX_LENGTH].rsplit("\n", 1)[0] + "\n… the rest is in the structured content."


def _lines(value: Any, indent: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _entry(f"{indent}{name}:", part, indent)
    elif isinstance(value, list):
        for part in value:
            yield from _entry(f"{indent}-", part, indent)


def _entry(start: str, part: Any, indent: str) -> Iterator[str]:
    if part is None or part in ({}, []):
        return
    if not isinstance(part, dict | list):
        yield f"{start} {part}"
    elif not any(isinstance(inner, dict | list) for inner in _parts(part)):
        yield f"{start} {_flat(part)}"
    else:
        yield start
        yield from _lines(part, indent + "  ")


def _parts(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items() if part is not None)
    return ", ".join(str(part) for part in value)
