"""Speaking MCP with the official client, as agents do."""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import httpx2
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.imageskill.cli.conftest import Client as Person


def _in_a_thread(script: Any) -> Any:
    """Run it on a loop of its own: tests in a browser leave theirs running in this thread."""
    with ThreadPoolExecutor(max_workers=1) as threads:
        return threads.submit(anyio.run, script).result()


def over_http(url: str, script: Any, *, token: str | None = None) -> Any:
    """Run `await script(client)` against the server's /mcp."""

    async def run() -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=90) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
        ):
            return await script(client)

    return _in_a_thread(run)


def over_stdio(person: Person, script: Any) -> Any:
    """Run `await script(client)` against `image-skill mcp` as that person would start it."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "imageskill.cli", "mcp"],
        env=person.environment,
        cwd=str(person.home),
    )

    async def run() -> Any:
        async with Client(server) as client:
            return await script(client)

    return _in_a_thread(run)


def call(name: str, **arguments: Any) -> Any:
    """Write a script that calls one tool."""

    async def script(client: Client) -> Any:
        return await client.call_tool(name, arguments)

    return script


async def tools(client: Client) -> dict[str, Any]:
    """List the tools by name."""
    return {tool.name: tool for tool in (await client.list_tools()).tools}
