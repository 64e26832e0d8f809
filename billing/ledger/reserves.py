"""Reserves: credits of a refund that is under way, held so that nobody spends them meanwhile.

Called under the organization's wallet lock. What a reserve returns is there for the refund itself
and for debts; the caller debits and settles.
"""

from billing.chart import Purpose, TransferKind
from billing.ledger import lots, posting


def hold(wallets: posting.Wallets, *, reference: str, receipt_id: str, credits: int) -> int:
    """Hold so many of the paid credits, the purchase's own first; fewer if fewer are there.

    `reference` names one sending of a refund, so that it reserves once.
    """
    available = min(credits, wallets[Purpose.PAID])
    if available:
        _post(wallets, TransferKind.REFUND_RESERVED, reference, available)
        lots.consume(
            organization_id=wallets.organization_id,
            reference=reference,
            credits=available,
            first=receipt_id,
        )
    return available


def give_back(wallets: posting.Wallets, *, reference: str, credits: int) -> None:
    """Return a reserve to the lots that it came from."""
    _post(wallets, TransferKind.REFUND_RESERVE_RETURNED, reference, credits)
    lots.restore(reference=reference, credits=credits)


def _post(wallets: posting.Wallets, kind: TransferKind, reference: str, credits: int) -> None:
    is_return = kind == TransferKind.REFUND_RESERVE_RETURNED
    move = posting.Move(
        key=f"{reference}:{'returned' if is_return else 'reserved'}",
        kind=kind,
        credits=credits,
        actor="system",
        reason="refund ended" if is_return else "refund under way",
        reference=reference,
        parent_keys=(f"{reference}:reserved",) if is_return else (),
    )
    posting.post(wallets, [move])
