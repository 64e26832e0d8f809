"""Every address of this site."""

from django.urls import include, path

from imageskill.api import api

urlpatterns = [
    path("", include("imageskill.documents.pages")),
    path("", api.urls),
    path("", include("imageskill.mcp.http")),
    path("", include("accounts.urls")),
    path("", include("billing.urls")),
    path("", include("jobs.urls")),
    path("", include("feedback.urls")),
    path("", include("billing.page_urls")),
    path("", include("jobs.page_urls")),
    path("", include("feedback.page_urls")),
    path("", include("imageskill.console.urls")),
]

handler500 = "imageskill.error_pages.server_error"
