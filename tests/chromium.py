"""A real browser: the system's Chromium, driven by playwright.

Without one, tests that ask for `page` or `browser` are left out, and the run says so;
`REQUIRE_CHROMIUM` makes that an error.
"""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def path() -> str | None:
    """Return where the system's Chromium is."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("REQUIRE_CHROMIUM") and not path():
        raise pytest.UsageError("REQUIRE_CHROMIUM is set, and there is no Chromium")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs a browser or live processes; leave out what can't run."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if names & {"browser", "page"}:
            item.add_marker("browser")
        if names & {"live", "_live_processes"}:
            item.add_marker("live")
            item.add_marker(pytest.mark.xdist_group("live"))
    if path():
        return
    needy = [item for item in items if item.get_closest_marker("browser")]
    if needy:
        config.hook.pytest_deselected(items=needy)
        items[:] = [item for item in items if item not in needy]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not path():
        terminalreporter.write_line(
            "No Chromium here: the browser tests were left out (Debian: apt install chromium)",
            yellow=True,
        )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    # Its event loop lives in this thread, and Django would take us for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path(), args=list(_FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a fresh profile that never hangs: 30 s for anything it waits for."""
    context = browser.new_context()
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()
