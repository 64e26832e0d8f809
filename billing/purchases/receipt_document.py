"""What a receipt says: the same lines for its page, its print and its mail."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from accounts.mail import sending
from billing.models import Rail, Receipt
from billing.purchases.receipt_status import ReceiptStatus
from imageskill.lib import amounts

_UNIT_CENTS = 1  # of one credit
_ADDRESS_LINES = ("line1", "line2", ("postal_code", "city"), "state", "country")
# Stripe's reasons for a tax of nothing, in words.
_TAX_REASONS = {
    "reverse_charge": "Reverse charge: the buyer accounts for the tax.",
    "customer_exempt": "The buyer is exempt from tax.",
    "product_exempt": "The product is exempt from tax.",
    "product_exempt_holiday": "The product is exempt from tax.",
    "not_subject_to_tax": "Not subject to tax where the buyer is.",
    "zero_rated": "Taxed at zero percent.",
}
_METHODS = {
    "card": "Card",
    "us_bank_account": "US bank account",
    "customer_balance": "Bank transfer",
    "link": "Link",
    "sepa_debit": "SEPA debit",
    "paypal": "PayPal",
}
_BRANDS = {"amex": "American Express", "mastercard": "Mastercard", "visa": "Visa"}


@dataclass(frozen=True, slots=True)
class ReceiptItem:
    """One line of what was bought."""

    name: str
    quantity: str
    unit_price: str
    amount: str


@dataclass(frozen=True, slots=True)
class ReceiptDocument:
    """The content of a receipt, ready to be shown."""

    seller: list[str]
    billed_to: list[str]
    facts: list[tuple[str, str]]
    items: list[ReceiptItem]
    sums: list[tuple[str, str]]  # between the items and the total
    total: str
    reversed: list[tuple[str, str]] = field(default_factory=list)  # since, and what is left
    notes: list[str] = field(default_factory=list)

    def rows(self) -> list[tuple[str, str]]:
        """Return all of it as labels and values, for a mail."""
        items = [
            (item.name, f"{item.quantity} × {item.unit_price} = {item.amount}")
            for item in self.items
        ]
        return [
            *self.facts,
            ("Seller", ", ".join(self.seller)),
            # The buyer typed it, and may have typed another person's address.
            ("Billed to", sending.neutralize_links(", ".join(self.billed_to))),
            *items,
            *self.sums,
            ("Total", self.total),
            *self.reversed,
            *(("Note", note) for note in self.notes),
        ]


def build(receipt: Any, *, shows_payer: bool) -> ReceiptDocument:
    """Return what the receipt says; to others than who paid, the payer stays unnamed.

    A receipt that was read by `receipt_status` says its status and what was reversed since; a new
    one has nothing to say of what comes later.
    """
    return ReceiptDocument(
        seller=_seller(receipt),
        billed_to=_billed_to(receipt) if shows_payer else ["The person who paid (not shown)"],
        facts=_facts(receipt, shows_payer=shows_payer),
        items=[_item(receipt)],
        sums=[*_discount(receipt), _tax(receipt)],
        total=_amount(receipt, receipt.amount_cents),
        reversed=_reversed(receipt),
        notes=_notes(receipt),
    )


def seller_of_today() -> dict[str, Any]:
    """Return the seller as the settings name it, to be kept with a new receipt."""
    return {
        "name": settings.SELLER_LEGAL_NAME,
        "address": settings.SELLER_ADDRESS,
        "tax_id": settings.SELLER_TAX_ID,
        "email": settings.SELLER_EMAIL,
    }


def method_name(receipt: Receipt, *, shows_number: bool = True) -> str:
    """Return how it was paid, in words: kind, brand and the last four."""
    if receipt.payment_method == Rail.FAKE:
        return "Test purchase"
    kind = receipt.method_kind
    name = _METHODS.get(kind, kind.replace("_", " ").capitalize()) or "Stripe Checkout"
    brand = _BRANDS.get(receipt.method_brand, receipt.method_brand.capitalize())
    if not shows_number or not receipt.method_last4:
        return name
    return f"{brand or name} ending in {receipt.method_last4}"


def _seller(receipt: Receipt) -> list[str]:
    seller = receipt.seller or seller_of_today()
    tax_id = f"Tax ID {seller['tax_id']}" if seller["tax_id"] else ""
    return [line for line in (seller["name"], *seller["address"], tax_id, seller["email"]) if line]


def _billed_to(receipt: Receipt) -> list[str]:
    """Return the buyer as Stripe gave it, else the account that paid."""
    buyer = receipt.billed_to
    lines = [buyer.get("name", ""), *_address(buyer.get("address") or {})]
    lines += [f"Tax ID {tax_id['value']}" for tax_id in buyer.get("tax_ids", [])]
    lines.append(buyer.get("email") or (receipt.payer.email if receipt.payer else ""))
    return [line for line in lines if line] or ["–"]


def _address(address: dict[str, str]) -> list[str]:
    lines = []
    for names in _ADDRESS_LINES:
        parts = [names] if isinstance(names, str) else names
        lines.append(" ".join(address.get(name) or "" for name in parts).strip())
    return lines


def _facts(receipt: Any, *, shows_payer: bool) -> list[tuple[str, str]]:
    paid_at = receipt.paid_at or receipt.issued_at
    facts = [
        ("Receipt number", receipt.number),
        ("Date of payment", _date(paid_at)),
        ("Date of supply", _date(receipt.issued_at)),
        ("Payment method", method_name(receipt, shows_number=shows_payer)),
        ("Organization", receipt.organization.public_id),
    ]
    if status := getattr(receipt, "status", ""):
        facts.append(("Status", str(ReceiptStatus(status).label)))
    return facts


def _item(receipt: Receipt) -> ReceiptItem:
    pack = receipt.quote.pack_name
    return ReceiptItem(
        name=f"Image Skill credits ({pack})" if pack else "Image Skill credits",
        quantity=f"{receipt.credits:,}",
        unit_price=_amount(receipt, _UNIT_CENTS),
        amount=_amount(receipt, receipt.credits * _UNIT_CENTS),
    )


def _discount(receipt: Receipt) -> list[tuple[str, str]]:
    if not receipt.discount_cents:
        return []
    return [("Discount", f"−{_amount(receipt, receipt.discount_cents)}")]


def _tax(receipt: Receipt) -> tuple[str, str]:
    if receipt.tax_cents:
        label = "Tax (included)" if receipt.is_tax_included else "Tax"
        return label, _amount(receipt, receipt.tax_cents)
    return "Tax", _TAX_REASONS.get(receipt.tax_reason, settings.SELLER_NO_TAX_REASON)


def _reversed(receipt: Any) -> list[tuple[str, str]]:
    """Return what was refunded and disputed, and the net amount; nothing where all of it stands."""
    sums = (
        ("Refunded", getattr(receipt, "refunded_cents", 0)),
        ("Disputed", getattr(receipt, "disputed_cents", 0)),
    )
    rows = [(label, f"−{_amount(receipt, cents)}") for label, cents in sums if cents]
    return [*rows, ("Net", _amount(receipt, receipt.net_cents))] if rows else []


def _notes(receipt: Receipt) -> list[str]:
    notes = []
    if not receipt.is_live:
        notes.append("Test receipt. No money was charged.")
    if receipt.owed_settled_credits:
        notes.append(
            f"{receipt.owed_settled_credits:,} of these credits were applied to the balance due "
            "from an earlier reversal."
        )
    return notes


def _amount(receipt: Receipt, cents: int) -> str:
    return amounts.format_amount(cents, receipt.currency)


def _date(at: datetime) -> str:
    return f"{at:%b} {at.day}, {at.year}"
