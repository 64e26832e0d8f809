"""Moments are written so that the viewer's browser can put them in the viewer's zone."""

import re
from pathlib import Path

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import DateTimeField

APPS = {"accounts", "billing", "jobs", "feedback"}


def shown_by(page) -> set[str]:
    names = {*page.list_display, *(page.fields or ())}
    return names | set(flatten_fieldsets(page.fieldsets or ()))


class TestTimes:
    def test_no_list_or_page_shows_a_bare_column_of_moments(self):
        bare = [
            f"{model._meta.label}.{field.name}"
            for model, page in admin.site._registry.items()
            if model._meta.app_label in APPS
            for field in model._meta.concrete_fields
            if isinstance(field, DateTimeField) and field.name in shown_by(page)
        ]
        assert not bare, (
            "show these with imageskill.lib.admin.formatting.display_datetime: " + ", ".join(bare)
        )

    def test_no_template_writes_a_zone_beside_a_bare_time(self):
        bare = []
        for path in (settings.BASE_DIR / "templates" / "admin").rglob("*.html"):
            for number, line in enumerate(Path(path).read_text().splitlines(), start=1):
                timeless = re.sub(r"<time\b.*?</time>|<input\b[^>]*>", "", line)
                if re.search(r'\|date:[\'"][^\'"]*H:i[^\'"]*[\'"]\s*}}(?![\'"])', timeless):
                    bare.append(f"{path.name}:{number}")
        assert not bare, "use the filter `moment` of {% load console %}: " + ", ".join(bare)
