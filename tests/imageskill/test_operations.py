"""What docs/operations.md promises about production settings."""

import os
import re
import subprocess
import sys

import pytest
from django.conf import settings

GUIDE = (settings.BASE_DIR / "docs" / "operations.md").read_text()
SECRETS = {
    "SECRET_KEY": "R4nd0m-" * 9,
    "DATABASE_URL": os.environ["DATABASE_URL"],
    "REDIS_URL": os.environ["REDIS_URL"],
    "EMAIL_URL": "smtp+tls://user:word@mail.example.com:587",
    "STRIPE_SECRET_KEY": "rk_live_nothing",
    "STRIPE_WEBHOOK_SECRET": "whsec_nothing",
    "FAL_KEY": "nothing",
}


@pytest.fixture
def production(tmp_path) -> dict[str, str]:
    """Return the environment that the guide's block of settings makes, secrets in files."""
    [block] = re.findall(r"```sh\n(SECRET_KEY_FILE=.*?)```", GUIDE, re.DOTALL)
    env = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "imageskill.settings"}
    for line in block.splitlines():
        name, _, value = re.sub(r"\s+#.*", "", line).partition("=")
        if name.endswith("_FILE"):
            file = tmp_path / name
            file.write_text(SECRETS[name.removesuffix("_FILE")] + "\n")
            value = str(file)
        env[name] = str(tmp_path) if name == "DATA_DIR" else value
    return env


def manage(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


class TestProduction:
    def test_the_settings_of_the_guide_pass_the_deployment_check(self, production, tmp_path):
        static = tmp_path / "static"
        static.mkdir()
        (static / "staticfiles.json").write_text("{}")
        production["STATIC_ROOT"] = str(static)
        answer = manage("check", "--deploy", "--fail-level", "WARNING", env=production)

        assert answer.returncode == 0, answer.stderr
        assert "no issues" in answer.stdout

    def test_nothing_of_development_is_on(self, production):
        script = (
            "from django.conf import settings as s;"
            "print(s.DEVELOPMENT, s.DEBUG, s.LOCAL_PROVIDER, s.FAKE_PAYMENTS,"
            " s.LOOPBACK_IS_UNLIMITED, s.SESSION_COOKIE_SECURE,"
            " s.STORAGES['kept']['OPTIONS']['location'], s.STAGING_RETRY_S,"
            " s.DATABASES['default']['OPTIONS']['prepare_threshold'])"
        )
        production |= {"S3_BUCKET": "images", "DATABASE_PGBOUNCER": "true"}

        answer = manage("shell", "--no-imports", "-c", script, env=production)

        found = answer.stdout.split()
        assert found == ["False"] * 5 + ["True", "kept", "60", "None"], answer.stderr

    @pytest.mark.parametrize("path", ["desk", "/desk/"])
    def test_the_console_moves_to_a_path_and_a_host_of_its_own(self, production, path, tmp_path):
        production |= {"ADMIN_PATH": path, "ADMIN_HOST": "console.example.org"}
        production["STATIC_ROOT"] = str(tmp_path / "static")
        manage("collectstatic", "--noinput", env=production)
        script = (
            "from django.test import Client;"
            "from django.urls import reverse;"
            "ask = lambda host, path: Client().get(path, HTTP_HOST=host, secure=True).status_code;"
            "print(reverse('admin:accounts_agent_changelist'),"
            " ask('console.example.org', '/desk/'), ask('www.example.com', '/desk/'),"
            " ask('console.example.org', '/admin/'))"
        )

        answer = manage("shell", "--no-imports", "-c", script, env=production)

        found = answer.stdout.split()
        assert found == ["/desk/accounts/agent/", "302", "404", "404"], answer.stderr

    def test_the_console_does_not_take_the_whole_site(self, production):
        answer = manage("check", env=production | {"ADMIN_PATH": "/"})

        assert answer.returncode != 0
        assert "ADMIN_PATH" in answer.stderr

    def test_static_files_can_be_collected(self, production, tmp_path):
        production["STATIC_ROOT"] = str(tmp_path / "static")

        answer = manage("collectstatic", "--noinput", env=production)

        assert answer.returncode == 0, answer.stderr
        assert (tmp_path / "static" / "staticfiles.json").exists()

    @pytest.mark.parametrize("name", ["SECRET_KEY_FILE", "DATABASE_URL_FILE", "REDIS_URL_FILE"])
    def test_does_not_start_without(self, production, name):
        del production[name]

        answer = manage("check", env=production)

        assert answer.returncode != 0
        assert name.removesuffix("_FILE") in answer.stderr
