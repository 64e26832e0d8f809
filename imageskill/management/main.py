"""`imageskill-manage`: Django's command line for this project, wherever it is installed."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imageskill.settings")
    program, *arguments = sys.argv
    if arguments and not arguments[0].startswith("-"):
        arguments[0] = arguments[0].replace("-", "_")  # `restore-check` is as good
    execute_from_command_line([program, *arguments])
