"""Every address of this site."""

from django.urls import include, path

from imageskill.web.api import api

urlpatterns = [
    path("", include("imageskill.web.documents.pages")),
    path("", api.urls),
    path("", include("imageskill.web.health")),
    path("", include("imageskill.monitoring.endpoint")),
    path("", include("imageskill.web.mcp.http")),
    path("", include("imageskill.web.openai_adapter.endpoints")),
    path("", include("accounts.urls")),
    path("", include("billing.urls")),
    path("", include("jobs.urls")),
    path("", include("feedback.urls")),
    path("", include("billing.views.urls")),
    path("", include("jobs.views.urls")),
    path("", include("feedback.views.urls")),
    path("", include("imageskill.console.urls")),
    path("", include("imageskill.web.mcp.discovery")),  # last: it answers what nobody else does
]

handler404 = "imageskill.web.error_pages.not_found"
handler500 = "imageskill.web.error_pages.server_error"
