"""`image-skill completion`."""

import sys

from imageskill.cli import answers, completing
from imageskill.cli.answers import Answer
from imageskill.cli.session import Session


def run(session: Session) -> Answer | None:
    """Print the script as it is, for `eval` and `source`; in the envelope with --json."""
    shell = session.call.given["shell"]
    script = completing.script(shell)
    if session.call.is_on("json"):
        return answers.success({"shell": shell, "script": script})
    sys.stdout.write(script)
    return None
