"""The kernel names no app, in its strings neither: an import contract can't see those."""

import re
from pathlib import Path

import imageskill.lib

_APPS = ("accounts", "billing", "jobs", "feedback")
_NAME = re.compile(rf"""["'](?:admin:)?(?:{"|".join(_APPS)})[._:]""")


class TestKernel:
    def test_no_string_of_it_names_an_app(self):
        folder = Path(imageskill.lib.__file__).parent
        named = [
            f"{path.relative_to(folder)}:{number}: {line.strip()}"
            for path in sorted(folder.rglob("*.py"))
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if _NAME.search(line)
        ]
        assert named == []
