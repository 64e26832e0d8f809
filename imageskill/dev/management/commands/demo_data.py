"""Make a believable history, so that anyone can look at a full console in minutes."""

import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from imageskill.dev.demo import history
from imageskill.lib import clock

_STEPS = {"k": 1000, "m": 1_000_000}


class Command(BaseCommand):
    """Has 120 agents create some 700 jobs and all that follows; with --size many more jobs."""

    help = "Let a believable history happen: agents, jobs with images, payments, reports."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("--seed", type=int, default=1, help="another one, another history")
        parser.add_argument(
            "--size", type=_parse_size, default=0, help="jobs to add in bulk for measuring: 10k, 1m"
        )

    def handle(self, *args: Any, seed: int, size: int, **options: Any) -> None:
        """Make the history, then check the ledger."""
        began = clock.now()
        try:
            history.make(seed=seed, size=history.Size(bulk=size), say=self._say)
        except history.Refused as refusal:
            raise CommandError(str(refusal)) from None
        problems = history.check_books(self._say)
        self.stderr.write("")
        if problems:
            raise CommandError(f"The books have {problems} problems; see check_books.")
        seconds = (clock.now() - began).total_seconds()
        self.stdout.write(
            f"A history of some {size + history.Size().jobs:,} jobs in {seconds:.0f} s."
        )

    def _say(self, text: str) -> None:
        self.stderr.write(f"\r{text:<60}", ending="")
        self.stderr.flush()


def _parse_size(text: str) -> int:
    match = re.fullmatch(r"(\d+)([km]?)", text.lower())
    if match is None:
        raise ValueError(text)
    return int(match[1]) * _STEPS.get(match[2], 1)
