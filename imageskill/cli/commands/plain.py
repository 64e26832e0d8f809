"""Commands that are one request and nothing else."""

from imageskill.cli.envelopes import CommandResult
from imageskill.cli.grammar import requests
from imageskill.cli.session import Session
from imageskill.cli.transport import http_client


def run(session: Session) -> CommandResult:
    """Send the request, with the token where the command takes one."""
    auth = session.call.command.auth
    token = None if auth == "none" else session.token(is_required=auth == "required")
    request = requests.build(session.call)
    return http_client.send(session.api, request, token=token.text if token else None)
