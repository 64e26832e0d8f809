"""`.env.example` names every setting once, with the default that settings have."""

import ast
import re
from itertools import chain

import pytest
from django.conf import settings

READERS = {
    "text", "flag", "integer", "decimal", "words", "names", "integers_by_name", "secret",
}  # fmt: skip


def read_by_settings() -> dict[str, object]:
    """Return each name that settings read, with its default (None where it is computed)."""
    found: dict[str, object] = {}
    vendors = settings.BASE_DIR.glob("jobs/providers/*/settings.py")
    files = [*vendors, settings.BASE_DIR / "imageskill" / "settings.py"]
    for node in chain.from_iterable(ast.walk(ast.parse(file.read_text())) for file in files):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env"), attr=reader),
                args=[ast.Constant(value=str(name)), *rest],
                keywords=keywords,
            ) if reader in READERS:
                default = [*rest, *(keyword.value for keyword in keywords)] or [ast.Constant("")]
                found[name] = default[0].value if isinstance(default[0], ast.Constant) else None
    return found


def written() -> list[tuple[str, str]]:
    return re.findall(
        r"^([A-Z][A-Z0-9_]*)=(.*)$", (settings.BASE_DIR / ".env.example").read_text(), re.MULTILINE
    )


class TestEnvExample:
    def test_names_every_setting_once_and_no_other(self):
        assert sorted(name for name, _ in written()) == sorted(read_by_settings())

    @pytest.mark.parametrize(("name", "value"), written())
    def test_shows_the_default(self, name, value):
        default = read_by_settings().get(name)
        shown = str(default).lower() if isinstance(default, bool) else str(default)

        assert value == ("" if default is None else shown)
