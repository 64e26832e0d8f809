"""Answering a dispute: a draft is ours to change, what was sent is final."""

from collections.abc import Mapping

from django.db import transaction

from accounts import audit
from accounts.models import User
from billing.models import DisputeEvidence, PaymentReversal
from billing.stripe import gateway
from imageskill.lib import clock

# Stripe's names of the parts that we can fill from our own records.
# https://docs.stripe.com/api/disputes/evidence_object
FIELD_LABELS = {
    "product_description": "Product description",
    "customer_email_address": "Customer email",
    "service_date": "Service date",
    "access_activity_log": "Access log",
    "refund_policy_disclosure": "Refund policy",
    "uncategorized_text": "Additional information",
}
MAX_CHARACTERS = 20_000  # in one part, as Stripe takes it


class EvidenceRefused(Exception):
    """The evidence can't be changed or sent; the message says why."""


def save_draft(
    *, reversal: PaymentReversal, parts: Mapping[str, str], user: User
) -> DisputeEvidence:
    """Keep a draft; refused once it was sent."""
    with transaction.atomic():
        _lock(reversal)
        kept = DisputeEvidence.objects.filter(reversal=reversal).first()
        if kept and kept.sent_at:
            raise EvidenceRefused("The evidence was sent; the bank decides now.")
        kept, _ = DisputeEvidence.objects.update_or_create(
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
    return kept


def submit(*, reversal: PaymentReversal, user: User, reason: str) -> None:
    """Hand the draft to the bank through Stripe, and note that it was.

    Noted after Stripe took it: of two at once, or one that was killed in between, Stripe takes
    the evidence once, and what it took can be read there.
    """
    draft = DisputeEvidence.objects.filter(reversal=reversal).first()
    if draft is None or not draft.parts:
        raise EvidenceRefused("There is no draft to send.")
    if draft.sent_at:
        raise EvidenceRefused("The evidence was sent before.")
    try:
        gateway.update_dispute(dispute_id=reversal.stripe_id, evidence=draft.parts, submit=True)
    except gateway.PaymentProviderFailure as error:
        raise EvidenceRefused(f"Stripe did not take it: {error}") from error
    with transaction.atomic():
        unsent = DisputeEvidence.objects.filter(pk=draft.pk, sent_at__isnull=True)
        if unsent.update(sent_at=clock.now(), sent_by=user):
            audit.record(
                user=user, action="dispute.send", subject=reversal.public_id, reason=reason
            )


def _lock(reversal: PaymentReversal) -> None:
    locked = PaymentReversal.objects.select_for_update(of=("self",)).get(pk=reversal.pk)
    if locked.kind != PaymentReversal.Kind.DISPUTE:
        raise EvidenceRefused("Only disputes are answered.")
