"""`image-skill help`."""

from imageskill.cli import envelopes, help_text
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.session import Session


def run(session: Session) -> CommandResult:
    """Explain a command, the commands that begin with these words, or all."""
    return envelopes.success(help_text.explain(tuple(session.call.get("command") or ())))
