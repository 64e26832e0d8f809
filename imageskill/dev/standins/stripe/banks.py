"""What is given back: refunds and disputes, as the dashboard and banks bring them about."""

import copy

from imageskill.dev.standins.stripe.objects import (
    DAY_S,
    InvalidObjectState,
    ObjectStore,
    StripeObject,
    random_text,
)

DISPUTE_FEE_CENTS = 1500


class RefundsAndDisputes(ObjectStore):
    """Refunds and disputes of charges; each call writes the events that Stripe writes.

    `refunds_begin_as` is the status of refunds that are asked for from now on: `succeeded`,
    `pending`, or `requires_action` where the buyer must give bank details.
    """

    refunds_begin_as = "succeeded"

    def give_back(self, wanted: StripeObject) -> StripeObject:
        """Refund a charge, as the API call does."""
        charge_id = wanted.get("charge") or self.get(wanted["payment_intent"])["latest_charge"]
        return self.refund(
            charge_id,
            int(wanted["amount"]) if "amount" in wanted else None,
            status=self.refunds_begin_as,
            reason=wanted.get("reason"),
            metadata=wanted.get("metadata", {}),
        )

    def refund(
        self,
        charge_id: str,
        amount_cents: int | None = None,
        *,
        status: str = "succeeded",
        reason: str | None = None,
        metadata: StripeObject | None = None,
    ) -> StripeObject:
        """Refund what is left of a charge, or a part of it."""
        with self.lock:
            charge = self.objects[charge_id]
            left = charge["amount"] - charge["amount_refunded"]
            amount = left if amount_cents is None else amount_cents
            if charge["disputed"] and not self._is_refundable(charge_id):
                raise InvalidObjectState("charge_disputed")
            if not 0 < amount <= left:
                raise InvalidObjectState(
                    "charge_already_refunded" if not left else "amount_too_large"
                )
            refund = self.add(
                {
                    "id": f"re_{random_text(24)}",
                    "object": "refund",
                    "amount": amount,
                    "balance_transaction": None,
                    "charge": charge_id,
                    "created": self.now(),
                    "currency": charge["currency"],
                    "metadata": metadata or {},
                    "payment_intent": charge["payment_intent"],
                    "reason": reason,
                    "status": status,
                }
                | _status_fields(status)
            )
            refund = self.objects[refund["id"]]
            refund["balance_transaction"] = self.move("refund", "refund", -amount, refund)["id"]
            charge["amount_refunded"] += amount
            charge["refunded"] = charge["amount_refunded"] == charge["amount"]
            self.tell("refund.created", refund)
            self.tell("charge.refunded", charge)
            return copy.deepcopy(refund)

    def settle_refund(self, refund_id: str) -> StripeObject:
        """Complete a pending refund."""
        with self.lock:
            refund = self.objects[refund_id]
            if refund["status"] not in {"pending", "requires_action"}:
                raise InvalidObjectState("refund_is_not_pending")
            refund.update(status="succeeded", **_status_fields("succeeded"))
            self._refund_changed(refund)
            return copy.deepcopy(refund)

    def ask_buyer(self, refund_id: str) -> StripeObject:
        """Make a pending refund wait for the buyer's bank details."""
        with self.lock:
            refund = self.objects[refund_id]
            if refund["status"] != "pending":
                raise InvalidObjectState("refund_is_not_pending")
            refund.update(status="requires_action", **_status_fields("requires_action"))
            self._refund_changed(refund)
            return copy.deepcopy(refund)

    def fail_refund(self, refund_id: str, *, reason: str = "unknown") -> StripeObject:
        """Fail a refund, as when the buyer's account was closed."""
        with self.lock:
            refund = self._standing(refund_id)
            refund["failure_reason"] = reason
            self._return_refund(refund, "failed")
            self.tell("refund.failed", refund)
            self._refund_changed(refund)
            return copy.deepcopy(refund)

    def cancel_refund(self, refund_id: str) -> StripeObject:
        """Cancel a refund that waits for the buyer, as the dashboard does."""
        with self.lock:
            refund = self._standing(refund_id)
            if refund["status"] != "requires_action":
                raise InvalidObjectState("refund_is_not_cancelable")
            self._return_refund(refund, "canceled")
            self._refund_changed(refund)
            return copy.deepcopy(refund)

    def dispute(
        self,
        charge_id: str,
        amount_cents: int | None = None,
        *,
        is_inquiry: bool = False,
        reason: str = "fraudulent",
    ) -> StripeObject:
        """Open a dispute; unless it only inquires, the funds are withdrawn at once."""
        with self.lock:
            charge = self.objects[charge_id]
            now = self.now()
            dispute = self.add(
                {
                    "id": f"du_{random_text(24)}",
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
                    "reason": reason,
                    "status": "warning_needs_response" if is_inquiry else "needs_response",
                }
            )
            charge["disputed"] = True
            self.tell("charge.dispute.created", self.objects[dispute["id"]])
            if not is_inquiry:
                self.withdraw(dispute["id"])
            return self.get(dispute["id"])

    def withdraw(self, dispute_id: str) -> StripeObject:
        """Take the disputed funds and the fee, as when an inquiry becomes a chargeback."""
        with self.lock:
            dispute = self.objects[dispute_id]
            if dispute["balance_transactions"]:
                raise InvalidObjectState("funds_withdrawn_already")
            dispute.update(status="needs_response", is_charge_refundable=False)
            moved = self.move(
                "adjustment", "dispute", -dispute["amount"], dispute, fee=DISPUTE_FEE_CENTS
            )
            dispute["balance_transactions"].append(moved)
            self.tell("charge.dispute.funds_withdrawn", dispute)
            return copy.deepcopy(dispute)

    def win(self, dispute_id: str, amount_cents: int | None = None) -> StripeObject:
        """Close a dispute as won: the funds come back, or a part of them."""
        with self.lock:
            dispute = self._undecided(dispute_id)
            dispute["status"] = "won"
            if dispute["balance_transactions"]:
                back = dispute["amount"] if amount_cents is None else amount_cents
                moved = self.move("adjustment", "dispute_reversal", back, dispute)
                dispute["balance_transactions"].append(moved)
                self.tell("charge.dispute.funds_reinstated", dispute)
            self.tell("charge.dispute.closed", dispute)
            return copy.deepcopy(dispute)

    def lose(self, dispute_id: str) -> StripeObject:
        """Close a dispute as lost."""
        with self.lock:
            dispute = self._undecided(dispute_id)
            dispute["status"] = "lost" if dispute["balance_transactions"] else "warning_closed"
            self.tell("charge.dispute.closed", dispute)
            return copy.deepcopy(dispute)

    def prevent(self, dispute_id: str) -> StripeObject:
        """Close a dispute as prevented, before any funds were withdrawn."""
        with self.lock:
            dispute = self._undecided(dispute_id)
            if dispute["balance_transactions"]:
                raise InvalidObjectState("funds_withdrawn_already")
            dispute["status"] = "prevented"
            self.tell("charge.dispute.closed", dispute)
            return copy.deepcopy(dispute)

    def add_evidence(self, dispute_id: str, wanted: StripeObject) -> StripeObject:
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
            self.tell("charge.dispute.updated", dispute)
            return copy.deepcopy(dispute)

    def add_file(self, *, purpose: str, name: str, size: int) -> StripeObject:
        """Keep that a file was uploaded; of its content only the size."""
        if purpose != "dispute_evidence":
            raise InvalidObjectState("parameter_invalid")
        return self.add(
            {
                "id": f"file_{random_text(24)}",
                "object": "file",
                "created": self.now(),
                "filename": name,
                "purpose": purpose,
                "size": size,
                "type": name.rpartition(".")[2],
                "url": None,
            }
        )

    def warn_of_fraud(
        self, charge_id: str, *, fraud_type: str = "made_with_stolen_card"
    ) -> StripeObject:
        """Have the card's issuer report a charge, before or without a dispute."""
        with self.lock:
            charge = self.objects[charge_id]
            warning = self.add(
                {
                    "id": f"issfr_{random_text(24)}",
                    "object": "radar.early_fraud_warning",
                    "actionable": not charge["refunded"],
                    "charge": charge_id,
                    "created": self.now(),
                    "fraud_type": fraud_type,
                    "livemode": False,
                    "payment_intent": charge["payment_intent"],
                }
            )
            self.tell("radar.early_fraud_warning.created", self.objects[warning["id"]])
            return self.get(warning["id"])

    def _undecided(self, dispute_id: str) -> StripeObject:
        dispute = self.objects[dispute_id]
        if dispute["status"] in {"won", "lost", "warning_closed", "prevented"}:
            raise InvalidObjectState("dispute_is_closed")
        return dispute

    def _standing(self, refund_id: str) -> StripeObject:
        refund = self.objects[refund_id]
        if refund["status"] in {"failed", "canceled"}:
            raise InvalidObjectState("refund_failed_already")
        return refund

    def _return_refund(self, refund: StripeObject, status: str) -> None:
        """Return the money of a refund to the account."""
        charge = self.objects[refund["charge"]]
        moved = self.move("refund_failure", "refund_failure", refund["amount"], refund)
        refund.update(status=status, failure_balance_transaction=moved["id"], next_action=None)
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False

    def _is_refundable(self, charge_id: str) -> bool:
        return all(
            one["is_charge_refundable"]
            for one in self.objects.values()
            if one["object"] == "dispute" and one["charge"] == charge_id
        )

    def _refund_changed(self, refund: StripeObject) -> None:
        self.tell("refund.updated", refund)
        self.tell("charge.refund.updated", refund)


def _status_fields(status: str) -> StripeObject:
    """Return the fields that follow from a refund's status."""
    is_asked = status == "requires_action"
    return {
        "failure_balance_transaction": None,
        "failure_reason": None,
        "next_action": {"type": "display_details"} if is_asked else None,
        "pending_reason": "processing" if status == "pending" else None,
    }
