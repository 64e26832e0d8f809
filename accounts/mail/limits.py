"""Limits of emails that strangers can cause: by inbox, by network, and in all.

All spellings of an inbox count as one. Counted in Redis; without it, emails are sent.
"""

from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest

from accounts import contacts
from imageskill.lib.http import client_ip, is_loopback, networks_of
from imageskill.lib.redis import ratelimit
from imageskill.lib.redis.ratelimit import Bucket

_MINUTE_S, _DAY_S = 60, 86_400


def consume_for_request(request: HttpRequest, address: str) -> None:
    """Count an email that this request causes; raises `RateLimited` where there were too many."""
    inbox = contacts.inbox_of(address)
    buckets = [
        Bucket("mail-minute", inbox, settings.MAILS_PER_MINUTE_PER_INBOX, _MINUTE_S),
        Bucket("mail-day", inbox, settings.MAILS_PER_DAY_PER_INBOX, _DAY_S),
        Bucket("mail-day", "all", settings.MAILS_PER_DAY, _DAY_S),
    ]
    ratelimit.consume_all([*buckets, *network_buckets(request)])


def network_buckets(request: HttpRequest) -> Iterator[Bucket]:
    """Yield what an email that this request causes counts in by network."""
    caller = client_ip(request)
    if settings.LOOPBACK_IS_UNLIMITED and is_loopback(caller):
        return
    for width, network in enumerate(networks_of(caller)):
        per_minute = settings.MAILS_PER_MINUTE_PER_NETWORK * 2**width
        yield Bucket("mail-minute", network, per_minute, _MINUTE_S)
        per_day = settings.MAILS_PER_DAY_PER_NETWORK * 2**width
        yield Bucket("mail-day", network, per_day, _DAY_S)


def consume_for_alert(address: str) -> None:
    """Count an alert to a user; raises `RateLimited` where there were too many today."""
    inbox = contacts.inbox_of(address)
    ratelimit.consume("alert-day", inbox, limit=settings.ALERTS_PER_DAY_PER_INBOX, per_s=_DAY_S)
