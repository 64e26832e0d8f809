"""Evidence for disputes: a draft can be changed, submitted evidence is final."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from accounts import audit
from accounts.models import User
from billing.models import DisputeEvidence, PaymentReversal
from billing.stripe import gateway
from imageskill.lib import clock

# Stripe's names of the parts that we can fill from our records.
# https://docs.stripe.com/api/disputes/evidence_object
FIELD_LABELS = {
    "product_description": "Product description",
    "customer_email_address": "Customer email",
    "service_date": "Service date",
    "access_activity_log": "Access log",
    "refund_policy_disclosure": "Refund policy",
    "uncategorized_text": "Additional information",
}
IMAGES_FIELD = "service_documentation"  # a file that shows that the service was provided
MAX_CHARACTERS = 20_000  # in one part: Stripe's limit

_CLAIMED_FOR = timedelta(minutes=2)


class EvidenceRefused(Exception):
    """The evidence can't be changed or submitted; the message says why."""


def save_draft(
    *, reversal: PaymentReversal, parts: Mapping[str, str], user: User
) -> DisputeEvidence:
    """Save a draft; raises EvidenceRefused once the evidence was submitted."""
    with transaction.atomic():
        _lock(reversal)
        draft = DisputeEvidence.objects.filter(reversal=reversal).first()
        if draft and draft.sent_at:
            raise EvidenceRefused("The evidence was submitted; the bank decides now.")
        draft, _ = DisputeEvidence.objects.update_or_create(
            reversal=reversal,
            defaults={
                "parts": {
                    name: parts[name][:MAX_CHARACTERS] for name in FIELD_LABELS if parts.get(name)
                },
                "edited_by": user,
                "edited_at": clock.now(),
            },
        )
        audit.record(user=user, action="dispute.draft", subject=reversal.public_id)
    return draft


def submit(
    *, reversal: PaymentReversal, user: User, reason: str, images: bytes | None = None
) -> None:
    """Submit the draft to the bank through Stripe, once, with the images attached as a file.

    Raises EvidenceRefused where there is no draft, it was submitted, or Stripe does not accept it.
    """
    draft = _claim(reversal)
    try:
        parts = dict(draft.parts)
        if images:
            parts[IMAGES_FIELD] = _upload(draft, images)
        gateway.update_dispute(dispute_id=reversal.stripe_id, evidence=parts, submit=True)
    except gateway.PaymentProviderFailure as error:
        DisputeEvidence.objects.filter(pk=draft.pk).update(submitting_at=None)
        raise EvidenceRefused(f"Stripe did not accept it: {error}") from error
    with transaction.atomic():
        unsent = DisputeEvidence.objects.filter(pk=draft.pk, sent_at__isnull=True)
        if unsent.update(sent_at=clock.now(), sent_by=user):
            audit.record(
                user=user, action="dispute.send", subject=reversal.public_id, reason=reason
            )


def _claim(reversal: PaymentReversal) -> DisputeEvidence:
    """Return the draft for this call alone: what the bank got can't be taken back."""
    draft = DisputeEvidence.objects.filter(reversal=reversal).first()
    if draft is None or not draft.parts:
        raise EvidenceRefused("There is no draft to submit.")
    if draft.sent_at:
        raise EvidenceRefused("The evidence was submitted already.")
    now = clock.now()
    unsent = DisputeEvidence.objects.filter(pk=draft.pk, sent_at__isnull=True)
    idle = unsent.filter(
        Q(submitting_at__isnull=True) | Q(submitting_at__lt=now - _CLAIMED_FOR)
    )  # a process that was killed in between leaves its claim
    if not idle.update(submitting_at=now):
        raise EvidenceRefused("Somebody is submitting it at this moment. Reload in a minute.")
    return draft


def _upload(draft: DisputeEvidence, images: bytes) -> str:
    """Upload the images, once for these bytes; return Stripe's id of the file."""
    digest = hashlib.sha256(images).hexdigest()[:16]
    file_id = gateway.upload_evidence_file(
        content=images, name="images.jpg", idempotency_key=f"evidence-{draft.pk}-{digest}"
    )
    DisputeEvidence.objects.filter(pk=draft.pk).update(file_id=file_id)
    return file_id


def _lock(reversal: PaymentReversal) -> None:
    locked = PaymentReversal.objects.select_for_update(of=("self",)).get(pk=reversal.pk)
    if locked.kind != PaymentReversal.Kind.DISPUTE:
        raise EvidenceRefused("Only disputes have evidence.")
