"""The inboxes that agents name: their limits, and their reader's right to be left alone."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from accounts.agents import normalize_contact
from accounts.models import Claim, ClaimRecipient
from imageskill.lib import clock
from imageskill.lib.errors import InvalidArguments

_UNSUBSCRIBE_SALT = "accounts.claim_inboxes.stop"


def validate_address(text: str) -> str:
    """Return the normalized address; raise `InvalidArguments` for anything that is none."""
    address = normalize_contact(text)
    try:
        validate_email(address)
    except ValidationError:
        raise InvalidArguments(
            "The contact is not a mail address.",
            details=[{"field": "contact", "message": "takes a mail address: name@example.com"}],
        ) from None
    return address


def redact(address: str) -> str:
    """Write an address so that its owner recognizes it and nobody else learns it."""
    name, at, domain = address.partition("@")
    return f"{name[:1]}***@{domain[:1]}***.{domain.rpartition('.')[2]}" if at else ""


def lock_inbox(address: str) -> ClaimRecipient:
    """Return the inbox's row, locked: two requests at once can't both pass its limits."""
    ClaimRecipient.objects.bulk_create([ClaimRecipient(address=address)], ignore_conflicts=True)
    return ClaimRecipient.objects.select_for_update().get(address=address)


def withheld_reason(recipient: ClaimRecipient) -> str:
    """Return why a locked inbox gets no mail now, counting all agents' mails."""
    if recipient.address.endswith(".invalid"):
        return Claim.Withheld.UNMAILABLE
    if recipient.is_stopped:
        return Claim.Withheld.STOPPED
    sent = recipient.claims.filter(withheld=Claim.Withheld.NO)
    now = clock.now()
    for days, limit in (
        (1, settings.CLAIM_MAILS_PER_DAY_PER_CONTACT),
        (30, settings.CLAIM_MAILS_PER_MONTH_PER_CONTACT),
    ):
        if sent.filter(created_at__gt=now - timedelta(days=days)).count() >= limit:
            return Claim.Withheld.LIMIT
    return Claim.Withheld.NO


def unsubscribe_link(address: str) -> str:
    """Make the link by which whoever reads this inbox stops all mails from agents."""
    return settings.PUBLIC_SITE_URL + reverse(
        "claim_stop", args=[signing.dumps(address, salt=_UNSUBSCRIBE_SALT)]
    )


def address_from_unsubscribe(signed: str) -> str | None:
    """Read the address out of a stop link; None when we did not make it."""
    try:
        return str(signing.loads(signed, salt=_UNSUBSCRIBE_SALT))
    except signing.BadSignature:
        return None


def unsubscribe(address: str) -> None:
    """Send this inbox no more mails from agents."""
    with transaction.atomic():
        recipient = lock_inbox(address)
        if not recipient.is_stopped:
            recipient.stopped_at = clock.now()
            recipient.save(update_fields=["stopped_at"])


def resubscribe(address: str) -> None:
    """Undo a stop."""
    ClaimRecipient.objects.filter(address=address).update(stopped_at=None)


def is_unsubscribed(address: str) -> bool:
    """Return whether this inbox's reader asked for no more."""
    return ClaimRecipient.objects.filter(address=address, stopped_at__isnull=False).exists()
