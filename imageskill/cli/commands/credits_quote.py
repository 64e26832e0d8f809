"""`image-skill credits quote`."""

from imageskill.cli import keys
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.grammar import requests
from imageskill.cli.session import Session
from imageskill.cli.transport import http_client


def run(session: Session) -> CommandResult:
    """Ask for a quote; where the caller has no key, make one and report it."""
    token = session.token(is_required=True)
    assert token is not None
    given = session.call.get("idempotency-key")
    key = given or keys.new_key("quote")
    request = requests.build(session.call, idempotency_key=key)
    answer = http_client.send(session.api, request, token=token.text)
    if given:
        return answer
    return answer.with_warnings(f"Made the key {key}; repeat with --idempotency-key {key}.")
