"""Events about early fraud warnings: read the warning as it is now."""

from collections.abc import Mapping
from typing import Any

from billing.reversals import applying
from billing.stripe import gateway, ownership
from billing.stripe.objects import FraudWarning


def read_warning(stripe_object: Mapping[str, Any]) -> FraudWarning:
    """Read the warning that an event is about; raises ForeignObject for another's charge."""
    warning = gateway.retrieve_fraud_warning(str(stripe_object["id"]))
    is_known = applying.is_known_payment(
        charge_id=warning.charge_id, payment_intent_id=warning.payment_intent_id
    )
    ownership.check_charge(warning.charge_id, is_known=is_known)
    return warning
