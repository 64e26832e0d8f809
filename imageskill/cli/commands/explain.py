"""`image-skill help`."""

from imageskill.cli import answers, explaining
from imageskill.cli.answers import Answer
from imageskill.cli.session import Session


def run(session: Session) -> Answer:
    """Explain a command, the commands that begin with these words, or all."""
    return answers.success(explaining.explain(tuple(session.call.get("command") or ())))
