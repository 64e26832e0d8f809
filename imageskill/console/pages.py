"""The console's own pages: route, view, URL name."""

from collections.abc import Callable

from django.http import HttpResponse

from billing.admin import disputes
from feedback.admin import inbox, review
from imageskill.console import (
    evidence,
    financial_overview,
    image_review,
    models_page,
    queues,
    saved_filter_views,
    search,
    settings_page,
    unresolved_outputs,
)

_Routes = tuple[tuple[str, Callable[..., HttpResponse], str], ...]

PAGES: _Routes = (
    ("find/", search.view, "console_search"),
    ("wall/", image_review.view, "console_wall"),
    ("queues/", queues.view, "console_queues"),
    ("orphans/", unresolved_outputs.view, "console_orphans"),
    ("models/", models_page.view, "console_models"),
    ("models/switch/", models_page.switch, "console_switch"),
    ("settings/", settings_page.view, "console_settings"),
    ("board/", inbox.view, "feedback_board"),
    ("board/review/", review.view, "feedback_review"),
    ("position/", financial_overview.view, "console_position"),
    ("position/<slug:table>.<slug:kind>", financial_overview.download, "console_position_file"),
    ("disputes/", disputes.view, "billing_disputes"),
    ("disputes/<str:reversal_id>/evidence/", evidence.view, "console_evidence"),
)
# What only forms are sent to.
ACTIONS: _Routes = (("filters/", saved_filter_views.view, "console_filters"),)
