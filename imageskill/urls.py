"""Every address of this site."""

from django.urls import include, path

from imageskill.api import api

urlpatterns = [
    path("", api.urls),
    path("", include("accounts.urls")),
]
