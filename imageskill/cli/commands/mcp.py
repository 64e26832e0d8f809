"""`image-skill mcp`."""

from importlib import import_module
from importlib.util import find_spec

from imageskill.cli.errors import InvalidCommandLine
from imageskill.cli.session import Session


def run(session: Session) -> None:
    """Serve MCP over standard input and output; needs the MCP library beside this client."""
    if find_spec("mcp") is None or find_spec("imageskill.web.mcp") is None:
        raise InvalidCommandLine(
            "This copy of the client comes without MCP. Install Image Skill as a package, or let "
            "your agent speak MCP to the server's /mcp."
        )
    import_module("imageskill.web.mcp.stdio").serve(session)
