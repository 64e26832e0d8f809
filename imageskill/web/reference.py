"""The interactive API reference at `/v1/docs`."""

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger


class Reference(Swagger):
    """Swagger UI in a page of ours, with a word for readers whose browser runs no scripts."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """Render the page."""
        options = self.settings | {"url": self.get_openapi_url(api, kwargs)}
        context = {
            "title": api.title,
            "swagger_settings": json.dumps(options),
            "openapi_url": options["url"],
            "site": settings.PUBLIC_SITE_URL,
        }
        return render(request, "documents/reference.html", context)
