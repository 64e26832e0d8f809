"""`image-skill version`."""

from imageskill import __version__
from imageskill.cli import envelopes
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.session import Session


def run(_: Session) -> CommandResult:
    """Return the version of this client."""
    return envelopes.success(
        {"version": __version__, "package": "image-skill", "mode": "public_hosted_cli"}
    )
