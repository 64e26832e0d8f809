"""`image-skill auth save`."""

from imageskill.cli import envelopes
from imageskill.cli.clock import now_iso
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.errors import TokenRequired
from imageskill.cli.session import Session


def run(session: Session) -> CommandResult:
    """Save a token that was passed to this run."""
    token = session.explicit_token()
    if token is None:
        raise TokenRequired(
            "There is no token to save: set IMAGE_SKILL_TOKEN or use --token-stdin."
        )
    kept = session.save_token(token.text, saved_at=now_iso())
    warnings = [f"The previous token is kept in {kept}."] if kept else []
    data = {
        "saved": True,
        "config_path": str(session.config_path),
        "token_source": token.source,
        "api_base_url": session.api,
    }
    return envelopes.success(data, *warnings)
