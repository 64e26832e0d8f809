"""Every address of this site."""

from django.urls import path

from imageskill.api import api

urlpatterns = [
    path("", api.urls),
]
