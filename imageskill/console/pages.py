"""The console's own pages: route, view, URL name."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from imageskill.console import search

PAGES: tuple[tuple[str, Callable[[HttpRequest], HttpResponse], str], ...] = (
    ("find/", search.view, "console_search"),
)
