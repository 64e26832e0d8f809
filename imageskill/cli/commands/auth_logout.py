"""`image-skill auth logout`."""

from imageskill.cli import envelopes
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.errors import ConfigWriteFailed
from imageskill.cli.session import Session


def run(session: Session) -> CommandResult:
    """Delete the config file; the token stays valid for whoever has it."""
    try:
        session.config_path.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigWriteFailed(
            f"The config file can't be deleted: {error.strerror}.",
            command="image-skill auth logout --json",
        ) from None
    return envelopes.success({"saved": False, "config_path": str(session.config_path)})
