"""Authentication of credits endpoints: payment credentials are refused before anything else."""

from typing import Any

from django.http import HttpRequest

from accounts.api.auth import Bearer
from accounts.models import Agent
from billing.purchases import card_data
from imageskill.lib.postgresql import strict_json


class ScreenedBearer(Bearer):
    """Refuses payment credentials in body, query and headers, then checks the token."""

    def __call__(self, request: HttpRequest) -> Agent | bool:
        """Screen, then authenticate."""
        card_data.screen({name: request.GET.getlist(name) for name in request.GET})
        card_data.screen_headers(list(request.headers))
        card_data.screen({"idempotency_key": request.headers.get("Idempotency-Key", "")})
        card_data.screen(_body(request))
        return super().__call__(request)


screened_bearer = ScreenedBearer(is_required=True)
optional_screened_bearer = ScreenedBearer(is_required=False)


def _body(request: HttpRequest) -> Any:
    """Return the body as JSON, or as one text where it is no JSON: that is screened too."""
    try:
        return strict_json.parse(request.body) if request.body else None
    except strict_json.InvalidJson:
        return request.body.decode(errors="replace")
