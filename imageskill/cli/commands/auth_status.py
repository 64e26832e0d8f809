"""`image-skill auth status`."""

from imageskill.cli import envelopes
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.grammar import requests
from imageskill.cli.session import Session
from imageskill.cli.transport import http_client


def run(session: Session) -> CommandResult:
    """Return whether there is a token, and ask the server whether it works."""
    token = session.token(is_required=False)
    if token is None:
        return envelopes.success(
            {
                "authenticated": False,
                "auth_source": None,
                "source": None,
                "config_path": str(session.config_path),
            }
        )
    answer = http_client.send(session.api, requests.build(session.call), token=token.text)
    if not answer.is_ok:
        return answer
    return answer.with_data(auth_source=token.source, config_path=str(session.config_path))
