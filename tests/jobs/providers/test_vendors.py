"""A vendor is a folder: what is in it and what the table says of it belong together."""

from pathlib import Path

import pytest
from django.conf import settings

from imageskill.console.operations import settings_page
from imageskill.lib import secrets
from jobs import registry
from jobs.providers import calls
from jobs.providers.vendors import VENDORS
from tests.secret_samples import SAMPLES

FOLDER = settings.BASE_DIR / "jobs" / "providers"


class TestVendors:
    def test_each_folder_is_one_and_nothing_else(self):
        assert {file.parent.name for file in Path(FOLDER).glob("*/adapter.py")} == set(VENDORS)

    def test_each_row_of_the_registry_has_one(self):
        assert {model.provider for model in registry.models()} <= set(VENDORS)

    @pytest.mark.parametrize("name", VENDORS)
    def test_its_adapter_is_found_and_bears_its_name(self, name):
        assert calls.get_adapter(name).name == name

    @pytest.mark.parametrize("name", VENDORS)
    def test_its_settings_are_there_and_are_shown_to_staff(self, name):
        vendor = VENDORS[name]
        decisive = vendor.key_setting or vendor.switch_setting
        for setting in (decisive, *vendor.shown_settings):
            assert hasattr(settings, setting)
        assert vendor.max_concurrency > 0
        assert set(vendor.shown_settings) <= set(settings_page.GROUPS["Providers"])
        assert not vendor.key_setting or vendor.key_setting in settings_page.SECRETS

    @pytest.mark.parametrize("name", [name for name in VENDORS if VENDORS[name].key_setting])
    def test_its_keys_are_known_to_whoever_looks_for_secrets(self, name):
        assert VENDORS[name].key_pattern is not None
        assert secrets.contains(f"the key is {SAMPLES[name]}")
