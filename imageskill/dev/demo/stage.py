"""What all parts of a made-up history share."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from imageskill.dev.demo.diary import Diary
from imageskill.dev.demo.dice import Dice
from imageskill.dev.demo.sheets import Sheets


@dataclass(frozen=True, slots=True)
class Stage:
    """Chance, the rows so far, the staff by role, and the moment that is today."""

    dice: Dice
    sheets: Sheets
    diary: Diary
    staff: dict[str, User]
    now: datetime
