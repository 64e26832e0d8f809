"""`image-skill completion`."""

from imageskill.cli import completion, envelopes, output
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.session import Session


def run(session: Session) -> CommandResult | None:
    """Print the script as it is, for `eval` and `source`; in the envelope with --json."""
    shell = session.call.given["shell"]
    script = completion.script(shell)
    if session.call.is_on("json"):
        return envelopes.success({"shell": shell, "script": script})
    output.write_text(script)
    return None
