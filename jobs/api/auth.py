"""Authentication that checks a grant before the body is read."""

from django.http import HttpRequest

from accounts import grants
from accounts.api.auth import Bearer
from accounts.models import Agent
from accounts.tokens import minting
from imageskill.lib.postgresql import strict_json


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


class LiveCallBearer(GrantBearer):
    """As `GrantBearer`, but a dry run may come without a token.

    A live call without one is refused for that, whatever else is wrong with its body.
    """

    def __init__(self, grant: str) -> None:
        super().__init__(grant, is_required=False)

    def __call__(self, request: HttpRequest) -> Agent | bool:
        """Check token and grant; without a token, that nothing can be spent."""
        auth = super().__call__(request)
        if not isinstance(auth, Agent) and not _is_dry_run(request):
            raise minting.auth_required()
        return auth


def _is_dry_run(request: HttpRequest) -> bool:
    try:
        body = strict_json.parse(request.body)
    except strict_json.InvalidJson:
        return False
    return isinstance(body, dict) and body.get("dry_run") is True
