"""Authentication that checks a grant before the body is read."""

from django.http import HttpRequest

from accounts import grants
from accounts.api.auth import Bearer
from accounts.models import Agent


class GrantBearer(Bearer):
    """A bearer token whose agent must have a grant."""

    def __init__(self, grant: str, *, is_required: bool = True) -> None:
        self.grant = grant
        super().__init__(is_required=is_required)

    def __call__(self, request: HttpRequest) -> Agent | bool:
        """Check token and grant."""
        auth = super().__call__(request)
        if isinstance(auth, Agent):
            grants.require(auth, self.grant)
        return auth
