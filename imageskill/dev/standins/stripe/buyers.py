"""What is bought: Checkout sessions, and what buyers do with them."""

import copy
from typing import Any

from imageskill.dev.standins.stripe.objects import (
    DAY_S,
    InvalidObjectState,
    ObjectStore,
    StripeObject,
    random_text,
)


class CheckoutSessions(ObjectStore):
    """Sessions, payments and charges; each call writes the events that Stripe writes."""

    def open_session(self, wanted: StripeObject, *, base_url: str) -> StripeObject:
        """Make a Checkout session out of the parameters of the call."""
        session_id = f"cs_test_{random_text(58)}"
        price = wanted["line_items"][0]["price_data"]
        amount = int(price["unit_amount"]) * int(wanted["line_items"][0].get("quantity", 1))
        now = self.now()
        return self.add(
            {
                "id": session_id,
                "object": "checkout.session",
                "adaptive_pricing": {
                    "enabled": wanted.get("adaptive_pricing", {}).get("enabled") == "true"
                },
                "amount_subtotal": amount,
                "amount_total": amount,
                "automatic_tax": {"enabled": _is_enabled(wanted, "automatic_tax"), "status": None},
                "billing_address_collection": wanted.get("billing_address_collection"),
                "cancel_url": wanted.get("cancel_url"),
                "client_reference_id": wanted.get("client_reference_id"),
                "created": now,
                "currency": price["currency"],
                "customer": None,
                "customer_details": None,
                "customer_email": wanted.get("customer_email"),
                "expires_at": int(wanted.get("expires_at", now + DAY_S)),
                "livemode": False,
                "metadata": wanted.get("metadata", {}),
                "mode": wanted["mode"],
                "payment_intent": None,
                "payment_method_types": ["card"],
                "payment_status": "unpaid",
                "status": "open",
                "success_url": wanted.get("success_url"),
                "tax_id_collection": {"enabled": _is_enabled(wanted, "tax_id_collection")},
                "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
                "ui_mode": "hosted_page",
                "url": f"{base_url}/c/pay/{session_id}#fid{random_text(80)}%2F{random_text(20)}%3D",
                # Not Stripe's: what the payment will say once there is one.
                "_payment_intent_data": wanted.get("payment_intent_data", {}),
                "_product_name": price["product_data"]["name"],
                "_is_tax_included": price.get("tax_behavior") == "inclusive",
            }
        )

    def close_session(self, session_id: str) -> StripeObject:
        """Expire an open session."""
        with self.lock:
            session = self._open(session_id)
            session.update(status="expired", url=None)
            self.tell("checkout.session.expired", session)
            return copy.deepcopy(session)

    def pay(
        self,
        session_id: str,
        *,
        discount_cents: int = 0,
        buyer: StripeObject | None = None,
        **surprise: Any,
    ) -> StripeObject:
        """Pay an open session at once; `surprise` overrides what the session then says.

        `buyer` has what they typed: `name`, `email`, `country`, `tax_id` and so on.
        """
        with self.lock:
            session = self._complete(session_id, discount_cents=discount_cents, buyer=buyer)
            is_free = not session["amount_total"]
            session["payment_status"] = "no_payment_required" if is_free else "paid"
            session.update(surprise)
            if not is_free:
                self._charge(session)
            self.tell("checkout.session.completed", session)
            return copy.deepcopy(session)

    def decline(self, session_id: str) -> StripeObject:
        """Decline a card: the session stays open."""
        with self.lock:
            session = self._open(session_id)
            intent = self._intent(session, status="requires_payment_method")
            self.tell("payment_intent.payment_failed", intent)
            return copy.deepcopy(session)

    def pay_later(self, session_id: str) -> StripeObject:
        """Finish with a method that takes days: complete, not paid yet."""
        with self.lock:
            session = self._complete(session_id)
            self._intent(session, status="processing")
            self.tell("checkout.session.completed", session)
            return copy.deepcopy(session)

    def settle(self, session_id: str) -> StripeObject:
        """Complete a late payment."""
        with self.lock:
            session = self._late(session_id)
            session["payment_status"] = "paid"
            self._charge(session)
            self.tell("checkout.session.async_payment_succeeded", session)
            return copy.deepcopy(session)

    def fail(self, session_id: str) -> StripeObject:
        """Fail a late payment."""
        with self.lock:
            session = self._late(session_id)
            intent = self._intent(session, status="requires_payment_method")
            self.tell("payment_intent.payment_failed", intent)
            self.tell("checkout.session.async_payment_failed", session)
            return copy.deepcopy(session)

    def _open(self, session_id: str) -> StripeObject:
        session = self.objects[session_id]
        if session["status"] == "open" and session["expires_at"] <= self.now():
            session.update(status="expired", url=None)
            self.tell("checkout.session.expired", session)
        if session["status"] != "open":
            raise InvalidObjectState(f"session_{session['status']}")
        return session

    def _complete(
        self, session_id: str, *, discount_cents: int = 0, buyer: StripeObject | None = None
    ) -> StripeObject:
        session = self._open(session_id)
        details = _customer_details(session, buyer or {})
        session["total_details"]["amount_discount"] = discount_cents
        session["amount_total"] -= discount_cents
        if session["automatic_tax"]["enabled"]:
            self._add_tax(session, is_reverse_charge=bool(details["tax_ids"]))
        session.update(status="complete", url=None, customer_details=details)
        return session

    def _add_tax(self, session: StripeObject, *, is_reverse_charge: bool) -> None:
        """Add a tax of 20 %, on top or in the price; a business with a tax ID pays its own."""
        base = session["amount_total"]
        is_included = session["_is_tax_included"]
        tax = 0 if is_reverse_charge else base * 20 // (120 if is_included else 100)
        reason = "reverse_charge" if is_reverse_charge else "standard_rated"
        session["automatic_tax"]["status"] = "complete"
        session["amount_total"] += 0 if is_included else tax
        session["total_details"]["amount_tax"] = tax
        session["total_details"]["breakdown"] = {
            "discounts": [],
            "taxes": [
                {
                    "amount": tax,
                    "rate": {"object": "tax_rate", "percentage": 20, "inclusive": is_included},
                    "taxability_reason": reason,
                    "taxable_amount": base - (tax if is_included else 0),
                }
            ],
        }

    def _late(self, session_id: str) -> StripeObject:
        session = self.objects[session_id]
        if session["status"] != "complete" or session["payment_status"] != "unpaid":
            raise InvalidObjectState("nothing_is_under_way")
        return session

    def _intent(self, session: StripeObject, *, status: str) -> StripeObject:
        intent_id = session["payment_intent"] or f"pi_{random_text(24)}"
        session["payment_intent"] = intent_id
        known = self.objects.get(intent_id, {})
        self.objects[intent_id] = {
            "id": intent_id,
            "object": "payment_intent",
            "amount": session["amount_total"],
            "created": known.get("created", self.now()),
            "currency": session["currency"],
            "latest_charge": known.get("latest_charge"),
            "livemode": False,
            "metadata": session["_payment_intent_data"].get("metadata", {}),
            "status": status,
        }
        return self.objects[intent_id]

    def _charge(self, session: StripeObject) -> None:
        intent = self._intent(session, status="succeeded")
        charge = {
            "id": f"ch_{random_text(24)}",
            "object": "charge",
            "amount": session["amount_total"],
            "amount_refunded": 0,
            "balance_transaction": None,
            "created": self.now(),
            "currency": session["currency"],
            "disputed": False,
            "livemode": False,
            "metadata": intent["metadata"],
            "payment_intent": intent["id"],
            "payment_method_details": {
                "type": "card",
                "card": {"brand": "visa", "last4": "4242", "country": "US", "funding": "credit"},
            },
            "refunded": False,
            "status": "succeeded",
        }
        self.objects[charge["id"]] = charge
        fee = -(-charge["amount"] * 29 // 1000) + 30
        moved = self.move("charge", "charge", charge["amount"], charge, fee=fee)
        charge["balance_transaction"] = moved["id"]
        intent["latest_charge"] = charge["id"]
        self.tell("charge.succeeded", charge)
        self.tell("payment_intent.succeeded", intent)


def _is_enabled(wanted: StripeObject, name: str) -> bool:
    return bool(wanted.get(name, {}).get("enabled") == "true")


def _customer_details(session: StripeObject, buyer: StripeObject) -> StripeObject:
    """Return what Checkout learned of the buyer: of address and tax ID only what it asked for."""
    asks_address = session["billing_address_collection"] == "required"
    asks_address = asks_address or session["automatic_tax"]["enabled"]
    names = ("line1", "line2", "city", "state", "postal_code", "country")
    address = {name: buyer.get(name) or None for name in names} if asks_address else None
    has_tax_id = session["tax_id_collection"]["enabled"] and buyer.get("tax_id")
    return {
        "address": address,
        "email": session["customer_email"] or buyer.get("email") or "buyer@example.com",
        "name": buyer.get("name") or None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [{"type": "eu_vat", "value": buyer["tax_id"]}] if has_tax_id else [],
    }
