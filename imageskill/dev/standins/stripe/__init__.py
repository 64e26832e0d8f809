"""A stand-in for Stripe: its API as far as we call it, its Checkout page, its webhooks.

No money moves. It refuses live keys, its objects are never in live mode, and every page of it
says what it is. In a test: `with serving(StripeStandIn()) as base_url: …`, then act as buyers and
banks do with `stand_in.account.pay(…)`, and read or deliver `stand_in.account.events`.
"""

from imageskill.dev.standins.stripe.account import StripeAccount
from imageskill.dev.standins.stripe.api import StripeStandIn

__all__ = ["StripeAccount", "StripeStandIn"]
