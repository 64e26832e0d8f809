"""The console's own pages: route, view, URL name."""

from collections.abc import Callable

from django.http import HttpResponse

from billing.admin import disputes
from feedback.admin import board, review
from imageskill.console import (
    catalogue,
    evidence,
    filters,
    orphans,
    position,
    queues,
    search,
    settings_page,
    wall,
)

_Routes = tuple[tuple[str, Callable[..., HttpResponse], str], ...]

PAGES: _Routes = (
    ("find/", search.view, "console_search"),
    ("wall/", wall.view, "console_wall"),
    ("queues/", queues.view, "console_queues"),
    ("orphans/", orphans.view, "console_orphans"),
    ("models/", catalogue.view, "console_models"),
    ("models/switch/", catalogue.switch, "console_switch"),
    ("settings/", settings_page.view, "console_settings"),
    ("board/", board.view, "feedback_board"),
    ("board/review/", review.view, "feedback_review"),
    ("position/", position.view, "console_position"),
    ("position/<slug:table>.<slug:kind>", position.download, "console_position_file"),
    ("disputes/", disputes.view, "billing_disputes"),
    ("disputes/<str:reversal_id>/evidence/", evidence.view, "console_evidence"),
)
# What only forms are sent to.
ACTIONS: _Routes = (("filters/", filters.view, "console_filters"),)
