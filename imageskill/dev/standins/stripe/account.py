"""The account behind the stand-in: what buyers, banks and Stripe itself do to its objects."""

from imageskill.dev.standins.stripe.banks import RefundsAndDisputes
from imageskill.dev.standins.stripe.buyers import CheckoutSessions


class StripeAccount(CheckoutSessions, RefundsAndDisputes):
    """One account in test mode."""
