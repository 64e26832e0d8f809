"""Early fraud warnings: recorded for staff to see, they move nothing."""

from billing.models import EarlyFraudWarning
from billing.stripe.objects import FraudWarning


def record(warning: FraudWarning) -> EarlyFraudWarning:
    """Store a warning as it is at Stripe now."""
    stored, _ = EarlyFraudWarning.objects.update_or_create(
        stripe_id=warning.id,
        defaults={
            "charge_id": warning.charge_id,
            "payment_intent_id": warning.payment_intent_id,
            "fraud_type": warning.fraud_type[:64],
            "is_actionable": warning.is_actionable,
            "warned_at": warning.created_at,
        },
    )
    return stored
