"""Invariants of the ledger, as queries for the rows that violate them: (subject, message)."""

from billing.chart import ROUTES, Term


def signed_terms_sql() -> str:
    """Return how each kind of transfer counts in an organization's equation, as SQL."""
    whens = " ".join(
        f"WHEN '{kind.value}' THEN {route.sign}" for kind, route in ROUTES.items() if route.term
    )
    return f"CASE kind {whens} ELSE 0 END"


def _kinds(*terms: Term) -> str:
    return ", ".join(f"'{kind.value}'" for kind, route in ROUTES.items() if route.term in terms)


INVARIANTS = {
    "entries add up to zero": """
        SELECT t.key, format('%s entries that add up to %s', count(e.id), sum(e.credits))
          FROM billing_transfer t LEFT JOIN billing_ledgerentry e ON e.transfer_id = t.id
         GROUP BY t.id HAVING count(e.id) <> 2 OR sum(e.credits) <> 0
         UNION ALL
        SELECT 'all entries', format('add up to %s', sum(credits))
          FROM billing_ledgerentry HAVING sum(credits) <> 0
    """,
    "balances are the sum of entries": """
        SELECT format('wallet %s (%s)', w.id, w.purpose),
               format('balance %s, entries %s', w.balance, coalesce(e.total, 0))
          FROM billing_wallet w
          LEFT JOIN (SELECT wallet_id, sum(credits) AS total
                       FROM billing_ledgerentry GROUP BY wallet_id) e ON e.wallet_id = w.id
         WHERE w.balance <> coalesce(e.total, 0)
    """,
    "entries carry the balance they left": """
        SELECT format('entry %s', id), format('says %s, is %s', balance_after, running)
          FROM (SELECT id, balance_after,
                       sum(credits) OVER (PARTITION BY wallet_id ORDER BY id) AS running
                  FROM billing_ledgerentry) e
         WHERE balance_after <> running
    """,
    "held credits are those of open holds": """
        SELECT format('organization %s', w.organization_id),
               format('%s held, open holds of %s, refunds under way of %s', w.balance,
                      coalesce(h.total, 0), coalesce(q.total, 0))
          FROM billing_wallet w
          LEFT JOIN (SELECT organization_id, sum(preview + paid) AS total FROM billing_jobhold
                      WHERE state = 'open' GROUP BY organization_id) h USING (organization_id)
          LEFT JOIN (SELECT r.organization_id, sum(q.reserved_credits) AS total
                       FROM billing_refundrequest q JOIN billing_receipt r ON r.id = q.receipt_id
                      WHERE q.reserved_credits > 0
                      GROUP BY r.organization_id) q USING (organization_id)
         WHERE w.purpose = 'held' AND w.balance <> coalesce(h.total, 0) + coalesce(q.total, 0)
    """,
    "each refund under way holds its reserve": """
        SELECT 'refund request ' || q.id,
               format('%s, %s reserved, transfers reserve %s', q.state, q.reserved_credits,
                      coalesce(t.reserved, 0))
          FROM billing_refundrequest q
          LEFT JOIN (SELECT reference, sum(CASE kind WHEN 'refund_reserved' THEN credits
                                                     ELSE -credits END) AS reserved
                       FROM billing_transfer
                      WHERE kind IN ('refund_reserved', 'refund_reserve_returned')
                      GROUP BY reference) t ON t.reference = 'refund_request:' || q.stripe_key
         WHERE q.reserved_credits <> coalesce(t.reserved, 0)
            OR (q.reserved_credits > 0 AND (q.state <> 'approved' OR q.failure <> ''
                                            OR q.refund_status = 'succeeded'))
    """,
    "holds are captured once or not at all": """
        SELECT h.job_id, format('%s: %s held, %s captured; transfers hold %s, capture %s, '
                                'return %s', h.state, h.preview + h.paid,
                                h.captured_preview + h.captured_paid,
                                t.held, t.captured, t.returned)
          FROM billing_jobhold h
          LEFT JOIN (SELECT reference,
                       sum(credits) FILTER (WHERE kind IN ('hold_preview', 'hold_paid')) AS held,
                       coalesce(sum(credits) FILTER (WHERE kind = 'capture'), 0) AS captured,
                       coalesce(sum(credits) FILTER
                           (WHERE kind IN ('return_preview', 'return_paid')), 0) AS returned
                       FROM billing_transfer
                      WHERE kind IN ('hold_preview', 'hold_paid', 'capture', 'return_preview',
                                     'return_paid')
                      GROUP BY reference) t ON t.reference = h.job_id
         WHERE t.held IS DISTINCT FROM h.preview + h.paid
            OR t.captured <> h.captured_preview + h.captured_paid
            OR (h.state = 'open' AND t.returned <> 0)
            OR (h.state = 'captured' AND t.captured = 0)
            OR (h.state <> 'open' AND t.captured + t.returned <> t.held)
         UNION ALL
        SELECT t.reference, 'moved credits for a job that has no hold'
          FROM billing_transfer t LEFT JOIN billing_jobhold h ON h.job_id = t.reference
         WHERE h.id IS NULL AND t.kind IN ('hold_preview', 'hold_paid', 'capture',
                                           'return_preview', 'return_paid')
    """,
    "each receipt has one grant of its credits": """
        SELECT coalesce(r.public_id, t.reference),
               format('receipt of %s, grant of %s', r.credits, t.credits)
          FROM billing_receipt r
          FULL JOIN (SELECT * FROM billing_transfer WHERE kind = 'paid_grant') t
            ON t.key = 'receipt:' || r.public_id || ':grant'
         WHERE r.credits IS DISTINCT FROM t.credits
            OR r.organization_id IS DISTINCT FROM t.organization_id
    """,
    "reversals take at most what was granted": f"""
        SELECT r.receipt_id, format('%s reversed, %s granted', r.reversed, coalesce(l.granted, 0))
          FROM (SELECT receipt_id, sum(reversed) AS reversed FROM (
                SELECT k.receipt_id, -sum(t.credits * {signed_terms_sql()}) AS reversed
                  FROM billing_taking k JOIN billing_transfer t ON t.reference = k.reference
                 WHERE t.kind IN ({_kinds(Term.REVERSED)})
                 GROUP BY k.receipt_id
                 UNION ALL
                SELECT k.receipt_id, -sum(t.credits)
                  FROM billing_taking k JOIN billing_transfer t ON t.reference = k.reference
                 WHERE t.kind IN ('refund_loss_recovered', 'dispute_loss_recovered')
                 GROUP BY k.receipt_id) parts GROUP BY receipt_id) r
          LEFT JOIN billing_lot l ON l.reference = r.receipt_id
         WHERE r.reversed > coalesce(l.granted, 0) OR r.reversed < 0
    """,  # noqa: S608 (the kinds of our own table)
    "what came in less what went out is there": f"""
        SELECT format('organization %s', w.organization_id),
               format('%s by its history, %s in its wallets', coalesce(t.total, 0), w.total)
          FROM (SELECT organization_id,
                       sum(CASE purpose WHEN 'owed' THEN -balance ELSE balance END) AS total
                  FROM billing_wallet WHERE organization_id IS NOT NULL
                 GROUP BY organization_id) w
          LEFT JOIN (SELECT organization_id, sum(credits * {signed_terms_sql()}) AS total
                       FROM billing_transfer GROUP BY organization_id) t USING (organization_id)
         WHERE w.total <> coalesce(t.total, 0)
    """,  # noqa: S608 (the kinds of our own table)
    "lots are what paid credits are made of": """
        SELECT l.reference, format('%s left of %s, %s taken', l.left, l.granted,
                                   coalesce(p.taken, 0))
          FROM billing_lot l
          LEFT JOIN (SELECT lot_id, sum(taken - returned) AS taken
                       FROM billing_lotpart GROUP BY lot_id) p ON p.lot_id = l.id
         WHERE l.left <> l.granted - coalesce(p.taken, 0)
         UNION ALL
        SELECT format('organization %s', w.organization_id),
               format('%s paid, %s in lots', w.balance, coalesce(l.total, 0))
          FROM billing_wallet w
          LEFT JOIN (SELECT organization_id, sum("left") AS total
                       FROM billing_lot GROUP BY organization_id) l USING (organization_id)
         WHERE w.purpose = 'paid' AND w.balance <> coalesce(l.total, 0)
    """,
    "owed credits are those of reversals": """
        SELECT format('organization %s', w.organization_id),
               format('%s owed, %s by reversals', w.balance, coalesce(k.total, 0))
          FROM billing_wallet w
          LEFT JOIN (SELECT organization_id, sum(owed) AS total
                       FROM billing_taking GROUP BY organization_id) k USING (organization_id)
         WHERE w.purpose = 'owed' AND w.balance <> coalesce(k.total, 0)
    """,
    "suspense holds open disputes only": """
        SELECT 'suspense', format('balance %s, open disputes %s', w.balance, k.total)
          FROM billing_wallet w,
               (SELECT coalesce(sum(taken - owed - written_off), 0) AS total
                  FROM billing_taking WHERE cause = 'dispute' AND state = 'open') k
         WHERE w.organization_id IS NULL AND w.purpose = 'suspense' AND w.balance <> k.total
    """,
    "each reversal in force took what it says": """
        SELECT coalesce(r.public_id, k.reference),
               format('reversal %s of %s, clawback %s of %s', r.state, r.credits, k.state,
                      k.taken + k.owed + k.written_off)
          FROM (SELECT * FROM billing_paymentreversal WHERE credits > 0) r
          FULL JOIN (SELECT * FROM billing_taking
                      WHERE state <> 'undone' OR taken + owed + written_off > 0) k
            ON k.reference = r.public_id
         WHERE r.id IS NULL OR k.id IS NULL
            OR k.state <> CASE r.state WHEN 'applied' THEN 'open' ELSE r.state END
            OR r.credits <> k.taken + k.owed + k.written_off
    """,
}
