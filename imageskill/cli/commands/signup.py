"""`image-skill signup`."""

from typing import Any

from imageskill.cli.clock import now_iso
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.errors import InvalidCommandLine, TokenRequired
from imageskill.cli.grammar import requests
from imageskill.cli.session import Session
from imageskill.cli.transport import http_client


def run(session: Session) -> CommandResult:
    """Sign up, save the token in the config file, redact it from the answer."""
    call = session.call
    if call.is_on("save") and call.is_on("no-save"):
        raise InvalidCommandLine("--save and --no-save can't be used together.")
    is_shown = call.is_on("show-token")
    is_saved = call.is_on("save") or not (call.is_on("no-save") or is_shown)
    if is_saved:
        session.check_config_writable()
    proof = session.explicit_token(with_environment=False)
    extra: dict[str, Any] = {"return_token": is_saved or is_shown}
    source = session.environment.get("IMAGE_SKILL_DISCOVERY_SOURCE", "").strip()
    if source and not call.get("discovery-source"):
        extra["discovery_source"] = source
    answer = http_client.send(
        session.api, requests.build(call, **extra), token=proof.text if proof else None
    )
    if not answer.is_ok:
        return answer
    token = answer.data.get("token")
    if is_saved:
        answer = _save_token(session, answer, token)
    elif not is_shown:
        answer = answer.with_warnings(
            "The token was neither saved nor shown, so nobody has it; sign up again with --save."
        )
    storage = answer.data.get("storage")
    return answer.with_data(
        token=token if is_shown else None,
        token_presented=is_shown,
        storage=(storage if isinstance(storage, dict) else {})
        | {"saved": is_saved, "config_path": str(session.config_path) if is_saved else None},
    )


def _save_token(session: Session, answer: CommandResult, token: Any) -> CommandResult:
    if not isinstance(token, str) or not token.strip():
        raise TokenRequired("The server returned no token to save.")
    kept = session.save_token(token.strip(), saved_at=now_iso())
    answer = answer.with_warnings(f"The token is saved in {session.config_path}.")
    if kept:
        answer = answer.with_warnings(f"The previous token is kept in {kept}.")
    return answer
