"""The document that shows where things are shows what is there."""

import re

import pytest
from django.conf import settings

APPS = ("accounts", "billing", "jobs", "feedback", "imageskill")
LEFT_OUT = {"migrations", "management", "commands", "templatetags"}
TEXT = (settings.BASE_DIR / "docs" / "architecture.md").read_text()


def shown() -> set[str]:
    """Return the folders of the drawn tree, as paths."""
    tree = TEXT.split("```\n")[1]
    path: list[str] = []
    folders = set()
    for line in tree.splitlines():
        indent, name = re.match(r"( *)(\w+)/", line).groups()
        path = [*path[: len(indent) // 2], name]
        folders.add("/".join(path))
    return folders


def there() -> set[str]:
    """Return the packages of the project, as paths."""
    packages = (
        file.parent.relative_to(settings.BASE_DIR)
        for app in APPS
        for file in (settings.BASE_DIR / app).rglob("__init__.py")
    )
    return {
        str(package)
        for package in packages
        if not LEFT_OUT & set(package.parts) and len(package.parts) <= 4
    }


class TestTheTree:
    def test_is_the_tree(self):
        assert shown() == there()


class TestWhereToGo:
    @pytest.mark.parametrize("path", sorted(set(re.findall(r"`([a-z_]+/[\w/.]+)`", TEXT))))
    def test_is_there(self, path):
        assert (settings.BASE_DIR / path).exists()
