"""Progress notifications while a call runs, for callers that asked for them."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
from mcp.server import ServerRequestContext

EVERY_S = 5.0

T = TypeVar("T")


async def with_progress(
    call: Callable[[], Awaitable[T]], context: ServerRequestContext[Any], *, every_s: float
) -> T:
    """Await a call; meanwhile notify its caller every few seconds, if they asked for it."""
    token = (context.meta or {}).get("progress_token")
    if token is None:
        return await call()
    results: list[T] = []
    errors: list[Exception] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_report, context, token, every_s)
        try:
            results.append(await call())
        except Exception as error:  # noqa: BLE001 - raised below, outside of the group's wrapping
            errors.append(error)
        tasks.cancel_scope.cancel()
    if errors:
        raise errors[0]
    return results[0]


async def _report(context: ServerRequestContext[Any], token: str | int, every_s: float) -> None:
    began = time.monotonic()
    while True:
        await anyio.sleep(every_s)
        seconds = round(time.monotonic() - began, 1)
        try:
            await context.session.send_progress_notification(
                token,
                progress=seconds,
                message=f"Running for {seconds:.0f} s",
                related_request_id=str(context.request_id),
            )
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            return  # the caller has gone; the call itself goes on
