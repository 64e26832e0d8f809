"""`image-skill mcp`: the tools over standard input and output, run by the command line itself.

So live requests are recorded, local images uploaded and files written as for any command.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import anyio
from mcp.server.stdio import stdio_server

from imageskill.cli import envelopes
from imageskill.cli.errors import CliError, DownloadFailed, RequestFailed, from_usage_error
from imageskill.cli.grammar import reading
from imageskill.cli.grammar.requests import EndpointRequest
from imageskill.cli.session import Session
from imageskill.cli.transport import http_client
from imageskill.web.mcp import results, server, tools


class CommandBackend:
    """Runs tools as commands of this client."""

    runs_locally = True

    def __init__(self, session: Session) -> None:
        self.session = session

    def call(self, name: str, arguments: tools.JsonObject, _: Any) -> dict[str, Any]:
        """Run a tool against the server that this one was started for."""
        try:
            call = reading.parse(tools.command_line(name, arguments, runs_locally=True))
        except reading.UsageError as error:
            return envelopes.failure(from_usage_error(error)).envelope | {"command": error.label}
        call = call.with_values(api_base_url=self.session.call.given.get("api-base-url"))
        module = import_module(f"imageskill.cli.commands.{call.command.module or 'plain'}")
        try:
            answer = module.run(Session(call, self.session.environment))
        except CliError as problem:
            answer = envelopes.failure(problem)
        if answer.after_output:
            answer.after_output()
        envelope: dict[str, Any] = answer.envelope | {"command": call.label}
        return envelope

    def models(self, _: Any) -> Sequence[tools.JsonObject]:
        """Ask the server for its catalog; an unreachable one leaves the schemas plain."""
        try:
            answer = http_client.send(self.session.api, EndpointRequest("GET", "/v1/models"))
        except RequestFailed:
            return []
        rows: list[tools.JsonObject] = answer.data.get("models") or []
        return rows

    def fetch(self, url: str, _: Any) -> bytes | None:
        """Download a small image."""
        try:
            download = http_client.open_url(url, problem=DownloadFailed)
            try:
                data = download.response.read(results.MAX_INLINE_BYTES + 1)
            finally:
                download.connection.close()
        except (DownloadFailed, OSError):
            return None
        return data if len(data) <= results.MAX_INLINE_BYTES else None


def serve(session: Session) -> None:
    """Serve until standard input ends."""
    anyio.run(_serve, CommandBackend(session))


async def _serve(commands: CommandBackend) -> None:
    built = server.build(commands)
    async with stdio_server() as (incoming, outgoing):
        await built.run(incoming, outgoing, built.create_initialization_options())
