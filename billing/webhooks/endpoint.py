"""The endpoint of Stripe's webhook: verify, store, answer; a worker handles the event later."""

from billing.stripe import gateway
from billing.stripe.objects import Event
from billing.webhooks import inbox
from imageskill.lib.postgresql import strict_json


class InvalidStripeEvent(Exception):
    """The body is signed, and no event of Stripe's."""


def receive(*, body: bytes, signature: str) -> bool:
    """Store a webhook's event once; False if it was here before.

    Raises InvalidStripeSignature for a body that Stripe did not sign lately with a secret of ours,
    and InvalidStripeEvent for one that is signed but can't be stored.
    """
    gateway.verify_webhook(body=body, signature=signature)
    try:
        event = Event.read(strict_json.parse(body))
    except (strict_json.InvalidJson, KeyError, TypeError, ValueError):
        raise InvalidStripeEvent from None
    return inbox.store(event)
