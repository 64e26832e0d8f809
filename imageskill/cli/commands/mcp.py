"""`image-skill mcp`."""

from importlib import import_module
from importlib.util import find_spec

from imageskill.cli.session import Session


def run(session: Session) -> None:
    """Serve MCP over standard input and output.

    With the MCP library beside this client it runs the tools itself, so that they reach local
    files; the downloaded client passes them on to the server.
    """
    is_complete = find_spec("mcp") and find_spec("imageskill.web")
    name = "imageskill.web.mcp.stdio" if is_complete else "imageskill.cli.transport.mcp_bridge"
    import_module(name).serve(session)
