"""The console's own pages: route, view, URL name."""

from collections.abc import Callable

from django.http import HttpResponseBase

from billing.admin import disputes
from feedback.admin import inbox, review
from imageskill.console import saved_filter_views
from imageskill.console.finance import evidence_page, overview_page
from imageskill.console.operations import (
    image_review,
    models_page,
    queues,
    settings_page,
    unresolved_outputs,
)
from imageskill.console.search import search_page

_Routes = tuple[tuple[str, Callable[..., HttpResponseBase], str], ...]

PAGES: _Routes = (
    ("find/", search_page.view, "console_search"),
    ("image-review/", image_review.view, "console_image_review"),
    ("queues/", queues.view, "console_queues"),
    ("unresolved-outputs/", unresolved_outputs.view, "console_unresolved_outputs"),
    ("models/", models_page.view, "console_models"),
    ("models/switch/", models_page.switch, "console_switch"),
    ("settings/", settings_page.view, "console_settings"),
    ("feedback-inbox/", inbox.view, "feedback_inbox"),
    ("feedback-inbox/review/", review.view, "feedback_review"),
    ("financial-overview/", overview_page.view, "console_financial_overview"),
    (
        "financial-overview/<slug:table>.<slug:kind>",
        overview_page.download,
        "console_financial_overview_file",
    ),
    ("disputes/", disputes.view, "billing_disputes"),
    ("disputes/<str:reversal_id>/evidence/", evidence_page.view, "console_evidence"),
)
# What only forms are sent to.
ACTIONS: _Routes = (("filters/", saved_filter_views.view, "console_filters"),)
# Earlier addresses of these pages, which bookmarks and issues still hold; each redirects.
MOVED: tuple[tuple[str, str], ...] = (
    ("wall/", "console_image_review"),
    ("orphans/", "console_unresolved_outputs"),
    ("board/", "feedback_inbox"),
    ("board/review/", "feedback_review"),
    ("position/", "console_financial_overview"),
    ("position/<slug:table>.<slug:kind>", "console_financial_overview_file"),
)
