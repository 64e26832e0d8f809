"""Limits of signups, by network and by contact, counted with the request's other limits."""

from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest
from pydantic import ValidationError

from accounts import contacts
from accounts.mail import limits
from billing import signup
from billing.api.account_schemas import SignupIn
from imageskill.lib.http import client_ip, is_loopback, networks_of
from imageskill.lib.postgresql import strict_json
from imageskill.lib.redis.ratelimit import Bucket

_HOUR_S, _DAY_S = 3600, 86_400


def is_bounded(request: HttpRequest) -> bool:
    """Return whether limits by network and contact hold for this caller."""
    return not (settings.LOOPBACK_IS_UNLIMITED and is_loopback(client_ip(request)))


def buckets(request: HttpRequest) -> Iterator[Bucket]:
    """Yield what a signup without a token counts in; nothing where its body is refused anyway."""
    if not is_bounded(request):
        return
    try:
        body = SignupIn.model_validate(strict_json.parse(request.body))
    except (strict_json.InvalidJson, ValidationError):
        return
    limit = settings.SIGNUPS_PER_HOUR_PER_NETWORK
    for network, bound in signup.networks_with_limits(networks_of(client_ip(request)), limit):
        yield Bucket("signup", network, bound, _HOUR_S)
    if body.contact:
        inbox, limit = contacts.inbox_of(body.contact), settings.SIGNUPS_PER_DAY_PER_CONTACT
        yield Bucket("signup-contact", inbox, limit, _DAY_S)
        yield from limits.network_buckets(request)  # its claim request is an email
