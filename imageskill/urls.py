"""Every address of this site."""

from django.urls import include, path

from imageskill.api import api

urlpatterns = [
    path("", api.urls),
    path("", include("accounts.urls")),
    path("", include("billing.urls")),
    path("", include("jobs.urls")),
    path("", include("imageskill.console.urls")),
]
