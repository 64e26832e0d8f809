"""What `make run` prints leads to where the settings put things."""

import pytest

from imageskill.dev.embedded import banner

ENV = {"PORT": "8000", "DATA_DIR": "/data"}


class TestConsole:
    @pytest.mark.parametrize(
        ("settings", "console"),
        [
            ({}, "http://localhost:8000/admin/"),
            ({"ADMIN_PATH": "desk"}, "http://localhost:8000/desk/"),
            ({"ADMIN_PATH": "/desk/"}, "http://localhost:8000/desk/"),
            ({"ADMIN_HOST": "console.localhost"}, "http://console.localhost:8000/admin/"),
            ({"ADMIN_HOST": "console.localhost:81"}, "http://console.localhost:81/admin/"),
            (
                {"PUBLIC_SITE_URL": "https://www.example.com", "ADMIN_HOST": "desk.example.com"},
                "https://desk.example.com/admin/",
            ),
        ],
    )
    def test_its_address_is_that_of_the_settings(self, settings, console):
        text = banner.render(ENV | settings, "admin@localhost word", seconds=1)
        assert f"Console        {console}\n" in text
        origin, _, path = console.rpartition("/")[0].rpartition("/")
        assert f"{origin}/account/login/password/?next=/{path}/" in text
