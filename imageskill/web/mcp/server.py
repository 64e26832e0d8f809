"""The MCP server: lists the tools and hands their calls to whoever runs commands."""

from collections.abc import Sequence
from typing import Any, Protocol

import anyio
from anyio.to_thread import run_sync
from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
)

from imageskill import __version__
from imageskill.web.mcp import menus, progress, results, suggestions, tools

MAX_CONCURRENT_CALLS = 200
# Tools whose result shows the image itself; others only link to it.
TOOLS_WITH_IMAGES = {"create", "edit", "assets_show", "jobs_wait", "jobs_show"}
INSTRUCTIONS = (
    "Creates and edits images. Check usage_quota before spending, choose a model with models_list "
    "and models_show, and plan with create and dry_run. Live creates and edits charge credits; "
    "repeat an interrupted one with the same idempotency_key. After an error, error.recovery names "
    "the tool and arguments to go on with. Every result is an envelope: ok, data, warnings, error."
)


class Backend(Protocol):
    """Runs tools: in this process on the server, over HTTP on somebody's machine.

    Its methods block; they are called in threads of their own. `context` is what the transport
    knows of the caller.
    """

    runs_locally: bool

    def call(self, name: str, arguments: tools.JsonObject, context: Any) -> dict[str, Any]:
        """Run a tool and return its envelope; raises `tools.UnknownTool`."""
        ...

    def models(self, context: Any) -> Sequence[tools.JsonObject]:
        """Return the rows of the model list; none where it can't be read."""
        ...

    def fetch(self, url: str, context: Any) -> bytes | None:
        """Return the bytes behind an asset's URL."""
        ...


def build(backend: Backend) -> Server[Any]:
    """Build the server on a backend."""
    limiter: anyio.CapacityLimiter | None = None

    def get_limiter() -> anyio.CapacityLimiter:
        nonlocal limiter
        if limiter is None:  # belongs to the event loop that serves
            limiter = anyio.CapacityLimiter(MAX_CONCURRENT_CALLS)
        return limiter

    async def on_list_tools(
        context: ServerRequestContext[Any], _: PaginatedRequestParams | None
    ) -> ListToolsResult:
        rows = await run_sync(backend.models, context.request, limiter=get_limiter())
        return ListToolsResult(tools=tools.list_tools(rows, runs_locally=backend.runs_locally))

    async def on_call_tool(
        context: ServerRequestContext[Any], params: CallToolRequestParams
    ) -> CallToolResult:
        try:
            return await progress.with_progress(
                lambda: run_sync(
                    _call,
                    backend,
                    params.name,
                    params.arguments or {},
                    context.request,
                    limiter=get_limiter(),
                ),
                context,
                every_s=progress.EVERY_S,
            )
        except (tools.UnknownTool, menus.InvalidPage) as error:
            raise MCPError(code=INVALID_PARAMS, message=str(error)) from None

    return Server(
        "image-skill",
        version=__version__,
        title="Image Skill",
        instructions=INSTRUCTIONS,
        on_list_tools=on_list_tools,
        on_call_tool=on_call_tool,
    )


def _call(backend: Backend, name: str, arguments: tools.JsonObject, context: Any) -> CallToolResult:
    envelope = backend.call(name, menus.without_page(name, arguments), context)
    envelope = menus.page(name, envelope, arguments)
    for part in ("data", "error"):
        envelope |= {
            part: suggestions.as_tool_calls(envelope[part], runs_locally=backend.runs_locally)
        }
    return results.build_result(
        envelope, lambda url: backend.fetch(url, context), is_showing=name in TOOLS_WITH_IMAGES
    )
