"""Moments are written so that the viewer's browser can put them in the viewer's zone."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import DateTimeField

from accounts.models import User

APPS = {"accounts", "billing", "jobs", "feedback"}


class TestTimes:
    @pytest.mark.parametrize("query", ["", "?as_of=2026-01-31T12:00"])
    def test_every_list_and_page_shows_moments_by_their_type(self, rf, query):
        request = rf.get(f"/{query}")
        request.user = User(is_active=True, is_staff=True, is_superuser=True)
        bare = [
            f"{model._meta.label}.{field.name}"
            for model, page in admin.site._registry.items()
            if model._meta.app_label in APPS
            for field in model._meta.concrete_fields
            if isinstance(field, DateTimeField)
            and field.name
            in {
                *page.get_list_display(request),
                *flatten_fieldsets(page.get_fieldsets(request)),
            }
        ]
        assert not bare, "an override leaves out DisplayMixin.by_type: " + ", ".join(bare)

    def test_no_template_writes_a_zone_beside_a_bare_time(self):
        bare = []
        for path in (settings.BASE_DIR / "templates" / "admin").rglob("*.html"):
            for number, line in enumerate(Path(path).read_text().splitlines(), start=1):
                timeless = re.sub(r"<time\b.*?</time>|<input\b[^>]*>", "", line)
                if re.search(r'\|date:[\'"][^\'"]*H:i[^\'"]*[\'"]\s*}}(?![\'"])', timeless):
                    bare.append(f"{path.name}:{number}")
        assert not bare, "use the filter `moment` of {% load console %}: " + ", ".join(bare)
