"""`image-skill jobs show`."""

from imageskill.cli import pending_spends
from imageskill.cli.commands import plain
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.session import Session


def run(session: Session) -> CommandResult:
    """Show the job; one that has ended settles its record."""
    answer = plain.run(session)
    pending_spends.settle_job(session.config_path, answer)
    return answer
