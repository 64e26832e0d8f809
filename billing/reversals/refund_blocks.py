"""Blocks receipts from refunds, with a reason."""

from django.db import transaction

from accounts import audit
from accounts.models import User
from billing.models import Receipt, RefundBlock


def block(*, receipt: Receipt, user: User, reason: str) -> None:
    """Block refunds of a receipt until it is unblocked."""
    with transaction.atomic():
        RefundBlock.objects.update_or_create(
            receipt=receipt, defaults={"blocked_by": user, "reason": reason}
        )
        audit.record(user=user, action="refund.block", subject=receipt.public_id, reason=reason)


def unblock(*, receipt: Receipt, user: User, reason: str) -> None:
    """Allow refunds of a receipt again."""
    with transaction.atomic():
        RefundBlock.objects.filter(receipt=receipt).delete()
        audit.record(user=user, action="refund.unblock", subject=receipt.public_id, reason=reason)
