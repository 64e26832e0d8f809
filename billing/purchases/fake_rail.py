"""The fake rail: credits for development and tests. No money moves, no credential is needed."""

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum

from accounts.grants import CapabilityDenied
from billing.models import Environment, Quote, Rail, Receipt
from billing.purchases import idempotency_keys, payment_methods, quotes, receipts
from billing.purchases.buyers import Buyer
from imageskill.lib.errors import IdempotencyConflict


def purchase(*, buyer: Buyer, quote_id: str, idempotency_key: str | None) -> Receipt:
    """Grant a quote of the fake rail, once; the same key again returns the first receipt.

    Raises what `quotes.check_payable` raises, IdempotencyConflict for a key of another quote,
    and CapabilityDenied above the cap of an organization.
    """
    key = idempotency_keys.validate(idempotency_key)
    with transaction.atomic():
        _lock_purchases(buyer.organization_id)
        quote = quotes.lock_for_payment(quote_id=quote_id, organization_id=buyer.organization_id)
        existing: Receipt | None = Receipt.objects.filter(quote=quote).first()
        if existing is not None and _is_replay(existing, key):
            return existing
        quotes.check_payable(quote, payment_method=Rail.FAKE)
        payment_methods.require(Rail.FAKE)
        _check_key(buyer, quote, key)
        _check_cap(quote)
        return receipts.issue(
            quote=quote,
            environment=Environment.TEST,
            idempotency_key=key,
            actor=buyer.actor,
            payment=receipts.Payment(amount_cents=quote.price_cents),
        )


def _lock_purchases(organization_id: int) -> None:
    """Let purchases of an organization wait for each other: cap and key are checked under it."""
    # No lock on the organization's row: claims lock it after the agent's, receipts before that.
    with connection.cursor() as cursor:
        name = f"fake purchases:{organization_id}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 9))", [name])


def _is_replay(receipt: Receipt, key: str) -> bool:
    return receipt.idempotency_key == key and receipt.payment_method == Rail.FAKE


def _check_key(buyer: Buyer, quote: Quote, key: str) -> None:
    used = Receipt.objects.filter(
        organization_id=buyer.organization_id, payment_method=Rail.FAKE, idempotency_key=key
    )
    if used.exists():
        fresh = idempotency_keys.generate("purchase")
        raise IdempotencyConflict(
            recovery={
                "suggested_command": payment_methods.buy_command(
                    Rail.FAKE, quote_id=quote.public_id, key=fresh
                )
            }
        )


def _check_cap(quote: Quote) -> None:
    granted = Receipt.objects.filter(
        organization_id=quote.organization_id, payment_method=Rail.FAKE
    ).aggregate(credits=Sum("credits", default=0))["credits"]
    cap = settings.FAKE_CREDITS_PER_ORGANIZATION
    if granted + quote.credits > cap:
        raise CapabilityDenied(
            f"One organization gets at most {cap:,} credits without payment; {granted:,} are used.",
            recovery={"suggested_command": "image-skill credits methods --json"},
        )
