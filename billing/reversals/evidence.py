"""Evidence for disputes: a draft can be changed, submitted evidence is final."""

from collections.abc import Mapping

from django.db import transaction

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
MAX_CHARACTERS = 20_000  # in one part: Stripe's limit


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


def submit(*, reversal: PaymentReversal, user: User, reason: str) -> None:
    """Submit the draft to the bank through Stripe.

    Stored as submitted after Stripe accepted it: of two calls at once, or one that was killed in
    between, Stripe accepts the evidence once, and shows what it accepted.
    """
    draft = DisputeEvidence.objects.filter(reversal=reversal).first()
    if draft is None or not draft.parts:
        raise EvidenceRefused("There is no draft to submit.")
    if draft.sent_at:
        raise EvidenceRefused("The evidence was submitted already.")
    try:
        gateway.update_dispute(dispute_id=reversal.stripe_id, evidence=draft.parts, submit=True)
    except gateway.PaymentProviderFailure as error:
        raise EvidenceRefused(f"Stripe did not accept it: {error}") from error
    with transaction.atomic():
        unsent = DisputeEvidence.objects.filter(pk=draft.pk, sent_at__isnull=True)
        if unsent.update(sent_at=clock.now(), sent_by=user):
            audit.record(
                user=user, action="dispute.send", subject=reversal.public_id, reason=reason
            )


def _lock(reversal: PaymentReversal) -> None:
    locked = PaymentReversal.objects.select_for_update(of=("self",)).get(pk=reversal.pk)
    if locked.kind != PaymentReversal.Kind.DISPUTE:
        raise EvidenceRefused("Only disputes have evidence.")
