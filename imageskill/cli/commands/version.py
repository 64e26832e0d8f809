"""`image-skill version`."""

from imageskill import __version__
from imageskill.cli import answers
from imageskill.cli.answers import Answer
from imageskill.cli.session import Session


def run(_: Session) -> Answer:
    """Tell the version of this client."""
    return answers.success(
        {"version": __version__, "package": "image-skill", "mode": "public_hosted_cli"}
    )
