"""Recipients of claim requests: validation, limits and unsubscribing."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.db.models import QuerySet
from django.urls import reverse

from accounts import contacts
from accounts.models import Claim, ClaimRecipient
from imageskill.lib import clock
from imageskill.lib.errors import InvalidArguments

_UNSUBSCRIBE_SALT = "accounts.claim_inboxes.stop"


def validate_address(text: str) -> str:
    """Return the normalized email; raise `InvalidArguments` if it is not one."""
    address = contacts.normalize(text)
    try:
        validate_email(address)
    except ValidationError:
        raise InvalidArguments(
            "The contact is not an email address.",
            details=[{"field": "contact", "message": "must be an email address: name@example.com"}],
        ) from None
    return address


def redact(address: str) -> str:
    """Return the email masked, so that only its owner recognizes it."""
    name, at, domain = address.partition("@")
    return f"{name[:1]}***@{domain[:1]}***.{domain.rpartition('.')[2]}" if at else ""


def lock_inbox(address: str) -> ClaimRecipient:
    """Return the recipient's row, its inbox locked so that concurrent requests keep its limits."""
    inbox = contacts.inbox_of(address)
    with connection.cursor() as cursor:  # the row of another spelling may not exist yet
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 8))", [inbox])
    ClaimRecipient.objects.bulk_create(
        [ClaimRecipient(address=address, inbox=inbox)], ignore_conflicts=True
    )
    return ClaimRecipient.objects.select_for_update().get(address=address)


def withheld_reason(recipient: ClaimRecipient) -> str:
    """Return why a locked recipient gets no email now; the limits count all agents together."""
    if recipient.address.endswith(".invalid"):
        return Claim.Withheld.UNMAILABLE
    if is_unsubscribed(recipient.address):
        return Claim.Withheld.STOPPED
    sent = Claim.objects.filter(recipient__inbox=recipient.inbox, withheld=Claim.Withheld.NO)
    now = clock.now()
    for days, limit in (
        (1, settings.CLAIM_MAILS_PER_DAY_PER_CONTACT),
        (30, settings.CLAIM_MAILS_PER_MONTH_PER_CONTACT),
    ):
        if sent.filter(created_at__gt=now - timedelta(days=days)).count() >= limit:
            return Claim.Withheld.LIMIT
    return Claim.Withheld.NO


def unsubscribe_link(address: str) -> str:
    """Return the link that unsubscribes this email from all claim requests."""
    return settings.PUBLIC_SITE_URL + reverse(
        "claim_stop", args=[signing.dumps(address, salt=_UNSUBSCRIBE_SALT)]
    )


def address_from_unsubscribe(signed: str) -> str | None:
    """Return the email of an unsubscribe link, or None if its signature is invalid."""
    try:
        return str(signing.loads(signed, salt=_UNSUBSCRIBE_SALT))
    except signing.BadSignature:
        return None


def unsubscribe(address: str) -> None:
    """Unsubscribe the inbox of this email, however spelled, from all claim requests."""
    with transaction.atomic():
        recipient = lock_inbox(address)
        if not recipient.is_stopped:
            recipient.stopped_at = clock.now()
            recipient.save(update_fields=["stopped_at"])


def resubscribe(address: str) -> None:
    """Undo an unsubscribe."""
    _of_inbox(address).update(stopped_at=None)


def is_unsubscribed(address: str) -> bool:
    """Return whether the inbox of this email is unsubscribed."""
    return _of_inbox(address).filter(stopped_at__isnull=False).exists()


def _of_inbox(address: str) -> QuerySet[ClaimRecipient]:
    return ClaimRecipient.objects.filter(inbox=contacts.inbox_of(address))
