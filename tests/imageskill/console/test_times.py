"""Moments are written so that the viewer's browser can put them in the viewer's zone."""

import re
from pathlib import Path

from django.conf import settings

APPS = {"accounts", "billing", "jobs", "feedback"}


class TestTimes:
    def test_no_template_writes_a_zone_beside_a_bare_time(self):
        bare = []
        for path in (settings.BASE_DIR / "templates" / "admin").rglob("*.html"):
            for number, line in enumerate(Path(path).read_text().splitlines(), start=1):
                timeless = re.sub(r"<time\b.*?</time>|<input\b[^>]*>", "", line)
                if re.search(r'\|date:[\'"][^\'"]*H:i[^\'"]*[\'"]\s*}}(?![\'"])', timeless):
                    bare.append(f"{path.name}:{number}")
        assert not bare, "use the filter `moment` of {% load console %}: " + ", ".join(bare)
