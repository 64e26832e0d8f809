"""The account behind the stand-in: what buyers, banks and Stripe itself do to its objects.

Each verb changes objects and writes the events that Stripe writes, in Stripe's order. Objects
are dicts as Stripe's JSON has them, at the API version that the product pins.
"""

import copy
import secrets
import string
import threading
import time
from typing import Any

from imageskill.standins.stripe.deliveries import Deliveries

Object = dict[str, Any]

DAY_S = 86_400
DISPUTE_FEE_CENTS = 1500
_ALPHABET = string.ascii_letters + string.digits


class Impossible(Exception):
    """Stripe would refuse that in the state the object is in."""


class Account:
    """All objects by id, all events in order, and one lock around both."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.objects: dict[str, Object] = {}
        self.events: list[Object] = []
        self.deliveries = Deliveries()

    # -- reading ---------------------------------------------------------------------------

    def get(self, object_id: str) -> Object:
        """Give a copy of an object; KeyError if there is none."""
        with self.lock:
            return copy.deepcopy(self.objects[object_id])

    def all(self, kind: str) -> list[Object]:
        """Give copies of all objects of a kind, newest first."""
        with self.lock:
            found = [one for one in self.objects.values() if one["object"] == kind]
            return copy.deepcopy(found[::-1])

    def event(self, event_type: str) -> Object:
        """Give the newest event of a type."""
        with self.lock:
            return next(one for one in reversed(self.events) if one["type"] == event_type)

    # -- what the product asks for ---------------------------------------------------------

    def open_session(self, wanted: Object, *, base_url: str) -> Object:
        """Make a Checkout session out of the parameters of the call."""
        session_id = f"cs_test_{_random(58)}"
        price = wanted["line_items"][0]["price_data"]
        amount = int(price["unit_amount"]) * int(wanted["line_items"][0].get("quantity", 1))
        now = int(time.time())
        return self._add(
            {
                "id": session_id,
                "object": "checkout.session",
                "adaptive_pricing": {
                    "enabled": wanted.get("adaptive_pricing", {}).get("enabled") == "true"
                },
                "amount_subtotal": amount,
                "amount_total": amount,
                "cancel_url": wanted.get("cancel_url"),
                "client_reference_id": wanted.get("client_reference_id"),
                "created": now,
                "currency": price["currency"],
                "customer": None,
                "customer_details": None,
                "expires_at": int(wanted.get("expires_at", now + DAY_S)),
                "livemode": False,
                "metadata": wanted.get("metadata", {}),
                "mode": wanted["mode"],
                "payment_intent": None,
                "payment_method_types": ["card"],
                "payment_status": "unpaid",
                "status": "open",
                "success_url": wanted.get("success_url"),
                "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
                "ui_mode": "hosted_page",
                "url": f"{base_url}/c/pay/{session_id}#fid{_random(80)}%2F{_random(20)}%3D",
                # Not Stripe's: what the payment will say once there is one.
                "_payment_intent_data": wanted.get("payment_intent_data", {}),
                "_product_name": price["product_data"]["name"],
            }
        )

    def close_session(self, session_id: str) -> Object:
        """Expire an open session."""
        with self.lock:
            session = self._open(session_id)
            session.update(status="expired", url=None)
            self._event("checkout.session.expired", session)
            return copy.deepcopy(session)

    def give_back(self, wanted: Object) -> Object:
        """Refund a charge, as the API call does."""
        charge_id = wanted.get("charge") or self.get(wanted["payment_intent"])["latest_charge"]
        return self.refund(
            charge_id,
            int(wanted["amount"]) if "amount" in wanted else None,
            reason=wanted.get("reason"),
            metadata=wanted.get("metadata", {}),
        )

    def add_evidence(self, dispute_id: str, wanted: Object) -> Object:
        """Keep evidence for a dispute; submitted evidence goes to the bank."""
        with self.lock:
            dispute = self.objects[dispute_id]
            dispute["evidence"].update(wanted.get("evidence", {}))
            details = dispute["evidence_details"]
            details["has_evidence"] = any(dispute["evidence"].values())
            if wanted.get("submit", "true") == "true":
                details["submission_count"] += 1
                inquiry = dispute["status"].startswith("warning_")
                dispute["status"] = "warning_under_review" if inquiry else "under_review"
            self._event("charge.dispute.updated", dispute)
            return copy.deepcopy(dispute)

    # -- what a buyer does -----------------------------------------------------------------

    def pay(self, session_id: str, *, discount_cents: int = 0, **surprise: Any) -> Object:
        """Pay an open session at once; `surprise` overrides what the session then says."""
        with self.lock:
            session = self._complete(session_id, discount_cents=discount_cents)
            session["payment_status"] = "paid"
            if session["amount_total"]:
                self._charge(session)
            else:
                session["payment_status"] = "no_payment_required"
            session.update(surprise)
            self._event("checkout.session.completed", session)
            return copy.deepcopy(session)

    def decline(self, session_id: str) -> Object:
        """Have a card refused: the session stays open."""
        with self.lock:
            session = self._open(session_id)
            intent = self._intent(session, status="requires_payment_method")
            self._event("payment_intent.payment_failed", intent)
            return copy.deepcopy(session)

    def pay_later(self, session_id: str) -> Object:
        """Finish with a method that takes days: complete, not paid yet."""
        with self.lock:
            session = self._complete(session_id)
            self._intent(session, status="processing")
            self._event("checkout.session.completed", session)
            return copy.deepcopy(session)

    def settle(self, session_id: str) -> Object:
        """Have the money of a late payment arrive."""
        with self.lock:
            session = self._late(session_id)
            session["payment_status"] = "paid"
            self._charge(session)
            self._event("checkout.session.async_payment_succeeded", session)
            return copy.deepcopy(session)

    def fail(self, session_id: str) -> Object:
        """Have a late payment fail for good."""
        with self.lock:
            session = self._late(session_id)
            intent = self._intent(session, status="requires_payment_method")
            self._event("payment_intent.payment_failed", intent)
            self._event("checkout.session.async_payment_failed", session)
            return copy.deepcopy(session)

    # -- what the dashboard and banks do ---------------------------------------------------

    def refund(
        self,
        charge_id: str,
        amount_cents: int | None = None,
        *,
        status: str = "succeeded",
        reason: str | None = None,
        metadata: Object | None = None,
    ) -> Object:
        """Refund what is left of a charge, or a part of it."""
        with self.lock:
            charge = self.objects[charge_id]
            left = charge["amount"] - charge["amount_refunded"]
            amount = left if amount_cents is None else amount_cents
            if charge["disputed"] and not self._is_refundable(charge_id):
                raise Impossible("charge_disputed")
            if not 0 < amount <= left:
                raise Impossible("charge_already_refunded" if not left else "amount_too_large")
            refund = self._add(
                {
                    "id": f"re_{_random(24)}",
                    "object": "refund",
                    "amount": amount,
                    "balance_transaction": None,
                    "charge": charge_id,
                    "created": int(time.time()),
                    "currency": charge["currency"],
                    "metadata": metadata or {},
                    "payment_intent": charge["payment_intent"],
                    "reason": reason,
                    "status": status,
                }
            )
            refund = self.objects[refund["id"]]
            refund["balance_transaction"] = self._move("refund", "refund", -amount, refund)["id"]
            charge["amount_refunded"] += amount
            charge["refunded"] = charge["amount_refunded"] == charge["amount"]
            self._event("refund.created", refund)
            self._event("charge.refunded", charge)
            return copy.deepcopy(refund)

    def settle_refund(self, refund_id: str) -> Object:
        """Have a pending refund arrive."""
        with self.lock:
            refund = self.objects[refund_id]
            refund["status"] = "succeeded"
            self._refund_changed(refund)
            return copy.deepcopy(refund)

    def fail_refund(self, refund_id: str) -> Object:
        """Have a refund come back, as when the buyer's account was closed."""
        with self.lock:
            refund = self.objects[refund_id]
            if refund["status"] == "failed":
                raise Impossible("refund_failed_already")
            charge = self.objects[refund["charge"]]
            refund["status"] = "failed"
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False
            self._move("refund_failure", "refund_failure", refund["amount"], refund)
            self._event("refund.failed", refund)
            self._refund_changed(refund)
            return copy.deepcopy(refund)

    def dispute(
        self, charge_id: str, amount_cents: int | None = None, *, is_inquiry: bool = False
    ) -> Object:
        """Have the buyer's bank ask; unless it only inquires, the funds are withdrawn at once."""
        with self.lock:
            charge = self.objects[charge_id]
            now = int(time.time())
            dispute = self._add(
                {
                    "id": f"du_{_random(24)}",
                    "object": "dispute",
                    "amount": charge["amount"] if amount_cents is None else amount_cents,
                    "balance_transactions": [],
                    "charge": charge_id,
                    "created": now,
                    "currency": charge["currency"],
                    "evidence": {},
                    "evidence_details": {
                        "due_by": now + 7 * DAY_S,
                        "has_evidence": False,
                        "past_due": False,
                        "submission_count": 0,
                    },
                    "is_charge_refundable": is_inquiry,
                    "livemode": False,
                    "metadata": {},
                    "payment_intent": charge["payment_intent"],
                    "reason": "fraudulent",
                    "status": "warning_needs_response" if is_inquiry else "needs_response",
                }
            )
            charge["disputed"] = True
            self._event("charge.dispute.created", self.objects[dispute["id"]])
            if not is_inquiry:
                self.withdraw(dispute["id"])
            return self.get(dispute["id"])

    def withdraw(self, dispute_id: str) -> Object:
        """Take the disputed funds and the fee, as when an inquiry becomes a chargeback."""
        with self.lock:
            dispute = self.objects[dispute_id]
            if dispute["balance_transactions"]:
                raise Impossible("funds_withdrawn_already")
            dispute.update(status="needs_response", is_charge_refundable=False)
            moved = self._move(
                "adjustment", "dispute", -dispute["amount"], dispute, fee=DISPUTE_FEE_CENTS
            )
            dispute["balance_transactions"].append(moved)
            self._event("charge.dispute.funds_withdrawn", dispute)
            return copy.deepcopy(dispute)

    def win(self, dispute_id: str) -> Object:
        """Have the bank decide for the house: the funds come back."""
        with self.lock:
            dispute = self._undecided(dispute_id)
            dispute["status"] = "won"
            if dispute["balance_transactions"]:
                moved = self._move("adjustment", "dispute_reversal", dispute["amount"], dispute)
                dispute["balance_transactions"].append(moved)
                self._event("charge.dispute.funds_reinstated", dispute)
            self._event("charge.dispute.closed", dispute)
            return copy.deepcopy(dispute)

    def lose(self, dispute_id: str) -> Object:
        """Have the bank decide for the buyer."""
        with self.lock:
            dispute = self._undecided(dispute_id)
            dispute["status"] = "lost" if dispute["balance_transactions"] else "warning_closed"
            self._event("charge.dispute.closed", dispute)
            return copy.deepcopy(dispute)

    def resend(self, event_id: str) -> None:
        """Deliver an event once more."""
        with self.lock:
            event = {one["id"]: one for one in self.events}[event_id]
        self.deliveries.again(event)

    # -- inside ----------------------------------------------------------------------------

    def _add(self, one: Object) -> Object:
        with self.lock:
            self.objects[one["id"]] = one
            return copy.deepcopy(one)

    def _event(self, event_type: str, about: Object) -> None:
        public = {name: value for name, value in about.items() if not name.startswith("_")}
        event = {
            "id": f"evt_{_random(24)}",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": int(time.time()),
            "data": {"object": copy.deepcopy(public)},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": event_type,
        }
        self.events.append(event)
        self.deliveries.add(event)

    def _open(self, session_id: str) -> Object:
        session = self.objects[session_id]
        if session["status"] == "open" and session["expires_at"] <= time.time():
            session.update(status="expired", url=None)
            self._event("checkout.session.expired", session)
        if session["status"] != "open":
            raise Impossible(f"session_{session['status']}")
        return session

    def _complete(self, session_id: str, *, discount_cents: int = 0) -> Object:
        session = self._open(session_id)
        session["total_details"]["amount_discount"] = discount_cents
        session["amount_total"] -= discount_cents
        session.update(status="complete", url=None, customer_details={"email": "buyer@example.com"})
        return session

    def _late(self, session_id: str) -> Object:
        session = self.objects[session_id]
        if session["status"] != "complete" or session["payment_status"] != "unpaid":
            raise Impossible("nothing_is_under_way")
        return session

    def _undecided(self, dispute_id: str) -> Object:
        dispute = self.objects[dispute_id]
        if dispute["status"] in {"won", "lost", "warning_closed"}:
            raise Impossible("dispute_is_closed")
        return dispute

    def _is_refundable(self, charge_id: str) -> bool:
        return all(
            one["is_charge_refundable"]
            for one in self.objects.values()
            if one["object"] == "dispute" and one["charge"] == charge_id
        )

    def _intent(self, session: Object, *, status: str) -> Object:
        intent_id = session["payment_intent"] or f"pi_{_random(24)}"
        session["payment_intent"] = intent_id
        known = self.objects.get(intent_id, {})
        self.objects[intent_id] = {
            "id": intent_id,
            "object": "payment_intent",
            "amount": session["amount_total"],
            "created": known.get("created", int(time.time())),
            "currency": session["currency"],
            "latest_charge": known.get("latest_charge"),
            "livemode": False,
            "metadata": session["_payment_intent_data"].get("metadata", {}),
            "status": status,
        }
        return self.objects[intent_id]

    def _charge(self, session: Object) -> None:
        intent = self._intent(session, status="succeeded")
        charge = {
            "id": f"ch_{_random(24)}",
            "object": "charge",
            "amount": session["amount_total"],
            "amount_refunded": 0,
            "balance_transaction": None,
            "created": int(time.time()),
            "currency": session["currency"],
            "disputed": False,
            "livemode": False,
            "metadata": intent["metadata"],
            "payment_intent": intent["id"],
            "refunded": False,
            "status": "succeeded",
        }
        self.objects[charge["id"]] = charge
        fee = -(-charge["amount"] * 29 // 1000) + 30
        moved = self._move("charge", "charge", charge["amount"], charge, fee=fee)
        charge["balance_transaction"] = moved["id"]
        intent["latest_charge"] = charge["id"]
        self._event("charge.succeeded", charge)
        self._event("payment_intent.succeeded", intent)

    def _refund_changed(self, refund: Object) -> None:
        self._event("refund.updated", refund)
        self._event("charge.refund.updated", refund)

    def _move(
        self, kind: str, category: str, amount: int, source: Object, *, fee: int = 0
    ) -> Object:
        now = int(time.time())
        return self._add(
            {
                "id": f"txn_{_random(24)}",
                "object": "balance_transaction",
                "amount": amount,
                "available_on": now + 2 * DAY_S,
                "created": now,
                "currency": source["currency"],
                "exchange_rate": None,
                "fee": fee,
                "net": amount - fee,
                "reporting_category": category,
                "source": source["id"],
                "status": "pending",
                "type": kind,
            }
        )


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
