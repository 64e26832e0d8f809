"""The account behind the stand-in: what buyers, banks and Stripe itself do to its objects."""

from imageskill.dev.standins.stripe.banks import Banks
from imageskill.dev.standins.stripe.buyers import Buyers


class Account(Buyers, Banks):
    """One account in test mode."""
