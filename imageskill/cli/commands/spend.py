"""`image-skill create` and `image-skill edit`: the commands that spend credits."""

from pathlib import Path
from typing import Any

from imageskill.cli import keys, output, pending_spends, spend_output
from imageskill.cli.commands import guidance
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.errors import CertificateNotTrusted, InvalidCommandLine, RequestFailed
from imageskill.cli.grammar import requests, writing
from imageskill.cli.grammar.reading import Call
from imageskill.cli.grammar.spec import ASSET, IMAGE, REFERENCE
from imageskill.cli.grammar.values import asset_id, split_reference
from imageskill.cli.session import Session
from imageskill.cli.transport import http_client, uploading


class _UploadFailed(Exception):
    """The server refused one of the images; its answer is the answer of the command."""

    def __init__(self, answer: CommandResult) -> None:
        super().__init__(answer.error_code)
        self.answer = answer


def run(session: Session) -> CommandResult:
    """Upload local images, record the request, send it, settle the record."""
    if session.call.is_on("guide"):
        return guidance.ask(session)
    call = _with_prompt(session.call)
    is_dry = call.is_on("dry-run")
    token = session.token(is_required=not is_dry or _has_images(call))
    text = token.text if token else None
    if not is_dry:
        spend_output.check(call)
    try:
        call = _upload_images(call, session.api, text or "")
    except _UploadFailed as refused:
        return refused.answer
    with output.progress("Working", is_shown=not call.is_on("json")):
        if is_dry:
            return http_client.send(session.api, requests.build(call), token=text)
        return spend_output.save(_spend(session, call, text), call)


def _spend(session: Session, call: Call, token: str | None) -> CommandResult:
    key = call.get("idempotency-key") or keys.new_key(call.command.words[0])
    call = call.with_values(idempotency_key=key)
    entry = _record_pending(session, call, key)
    try:
        answer = http_client.send(session.api, requests.build(call), token=token)
    except CertificateNotTrusted:
        if entry:
            entry.file.unlink(missing_ok=True)  # nothing was sent
        raise
    except RequestFailed as problem:
        problem.recovery |= {
            "idempotency_key": key,
            "suggested_command": writing.format_line(call.words, writing.format_arguments(call)),
        }
        raise
    if entry is None:
        return answer
    # An answer that nobody could read stays on record, so that the spend is not lost with it.
    return answer._replace(after_output=lambda: pending_spends.settle(entry, answer))


def _record_pending(session: Session, call: Call, key: str) -> pending_spends.PendingSpend | None:
    server = session.api if session.api != session.config.api_base_url else None
    recorded = call.with_values(api_base_url=server)
    try:
        entry = pending_spends.add(
            session.config_path,
            words=call.words,
            arguments=writing.format_arguments(recorded),
            key=key,
            server=server,
        )
    except OSError as error:
        output.write_diagnostic(
            f"This request could not be recorded ({error.strerror}). Its idempotency key is {key}."
        )
        return None
    output.write_diagnostic(
        f"Request started with idempotency key {key}. If interrupted: image-skill doctor --json"
    )
    return entry


def _with_prompt(call: Call) -> Call:
    """Read --prompt-file, so that what is recorded does not change with the file."""
    name = call.given.get("prompt-file")
    if name is None:
        return call
    try:
        text = Path(name).read_bytes().decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InvalidCommandLine(
            f"The prompt file can't be read: {reason}.", required_flag="--prompt-file"
        ) from None
    if not text:
        raise InvalidCommandLine("The prompt file is empty.", required_flag="--prompt-file")
    return call.with_values(prompt=text, prompt_file=None)


def _has_images(call: Call) -> bool:
    kinds = {flag.kind for flag in call.command.flags if flag.name in call.given}
    return bool(kinds & {ASSET, IMAGE, REFERENCE})


def _upload_images(call: Call, api: str, token: str) -> Call:
    """Upload the images that are no assets yet, and name their assets instead."""
    uploaded: dict[str, str] = {}

    def as_asset(image: str) -> str:
        if asset_id(image) is None and image not in uploaded:
            uploaded[image] = _upload(api, image, token)
        return uploaded.get(image, image)

    changes: dict[str, Any] = {}
    for flag in call.command.flags:
        value = call.given.get(flag.name)
        if flag.kind == IMAGE and value:
            changes[flag.name] = as_asset(value)
        elif flag.kind == REFERENCE and value:
            parts = [(split_reference(one)[0], one) for one in value]
            changes[flag.name] = [as_asset(image) + one[len(image) :] for image, one in parts]
    return call.with_values(**changes)


def _upload(api: str, image: str, token: str) -> str:
    answer = uploading.upload(api, image, token=token)
    asset = answer.data.get("asset")
    if not answer.is_ok or not isinstance(asset, dict):
        raise _UploadFailed(answer)
    return str(asset.get("asset_id"))
