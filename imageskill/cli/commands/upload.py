"""`image-skill upload`."""

from imageskill.cli import output
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.session import Session
from imageskill.cli.transport import uploading


def run(session: Session) -> CommandResult:
    """Upload an image."""
    token = session.token(is_required=True)
    assert token is not None
    with output.progress("Uploading", is_shown=not session.call.is_on("json")):
        return uploading.upload(session.api, session.call.get("input"), token=token.text)
