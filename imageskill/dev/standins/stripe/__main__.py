"""Run the stand-in: `python -m imageskill.dev.standins.stripe --url-file FILE`.

`STANDIN_WEBHOOK_URL` names where its webhooks go; without it, events stay undelivered and the
product finds them by its sweep.
"""

import os
import secrets

from imageskill.dev.standins.server import main
from imageskill.dev.standins.stripe import StripeStandIn
from imageskill.dev.standins.stripe.api import settings

if __name__ == "__main__":
    stand_in = StripeStandIn()
    account = stand_in.account
    secret = os.environ.get("STRIPE_WEBHOOK_SECRET") or f"whsec_{secrets.token_hex(16)}"
    account.deliveries.start(url=os.environ.get("STANDIN_WEBHOOK_URL", ""), secret=secret)
    main(stand_in, lambda base_url: settings(account, base_url))
