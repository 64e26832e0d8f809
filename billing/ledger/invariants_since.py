"""The invariants that cost most, for what changed since a clean run; the others are checked whole.

Sound by induction: what was right then and has no transfer since is right now, unless somebody
changed rows behind the ledger's back. That is what the full run is for.
"""

from billing.ledger.invariants import signed_terms_sql

_JOB_KINDS = "'hold_preview', 'hold_paid', 'capture', 'return_preview', 'return_paid'"
_TOUCHED = "SELECT DISTINCT organization_id FROM billing_transfer WHERE id > {since}"

# Replacements by the name of the invariant; `{since}` is the last transfer that was checked.
INVARIANTS_SINCE = {
    "entries add up to zero": """
        SELECT t.key, format('%s entries that add up to %s', count(e.id), sum(e.credits))
          FROM billing_transfer t LEFT JOIN billing_ledgerentry e ON e.transfer_id = t.id
         WHERE t.id > {since}
         GROUP BY t.id HAVING count(e.id) <> 2 OR sum(e.credits) <> 0
    """,
    "balances are the sum of entries": """
        SELECT format('wallet %s (%s)', w.id, w.purpose),
               format('balance %s, last entry left %s', w.balance, e.balance_after)
          FROM billing_wallet w
          JOIN LATERAL (SELECT balance_after FROM billing_ledgerentry
                         WHERE wallet_id = w.id ORDER BY id DESC LIMIT 1) e ON true
         WHERE w.balance <> e.balance_after
    """,
    "entries carry the balance they left": """
        SELECT format('entry %s', e.id), format('says %s, is %s', e.balance_after,
                                                coalesce(b.balance_after, 0) + e.credits)
          FROM billing_transfer t JOIN billing_ledgerentry e ON e.transfer_id = t.id
          LEFT JOIN LATERAL (SELECT balance_after FROM billing_ledgerentry
                              WHERE wallet_id = e.wallet_id AND id < e.id
                              ORDER BY id DESC LIMIT 1) b ON true
         WHERE t.id > {since} AND e.balance_after <> coalesce(b.balance_after, 0) + e.credits
    """,
    "holds are captured once or not at all": f"""
        WITH changed AS (SELECT DISTINCT reference FROM billing_transfer
                          WHERE id > {{since}} AND kind IN ({_JOB_KINDS})),
             t AS (SELECT reference,
                     sum(credits) FILTER (WHERE kind IN ('hold_preview', 'hold_paid')) AS held,
                     coalesce(sum(credits) FILTER (WHERE kind = 'capture'), 0) AS captured,
                     coalesce(sum(credits) FILTER
                         (WHERE kind IN ('return_preview', 'return_paid')), 0) AS returned
                     FROM changed JOIN billing_transfer USING (reference)
                    WHERE kind IN ({_JOB_KINDS}) GROUP BY reference)
        SELECT t.reference, format('%s: %s held, %s captured; transfers hold %s, capture %s, '
                                   'return %s', h.state, h.preview + h.paid,
                                   h.captured_preview + h.captured_paid,
                                   t.held, t.captured, t.returned)
          FROM t LEFT JOIN billing_jobhold h ON h.job_id = t.reference
         WHERE h.id IS NULL
            OR t.held IS DISTINCT FROM h.preview + h.paid
            OR t.captured <> h.captured_preview + h.captured_paid
            OR (h.state = 'open' AND t.returned <> 0)
            OR (h.state = 'captured' AND t.captured = 0)
            OR (h.state <> 'open' AND t.captured + t.returned <> t.held)
    """,  # noqa: S608 (the kinds of our own table)
    "what came in less what went out is there": f"""
        SELECT format('organization %s', w.organization_id),
               format('%s by its history, %s in its wallets', coalesce(t.total, 0), w.total)
          FROM (SELECT organization_id,
                       sum(CASE purpose WHEN 'owed' THEN -balance ELSE balance END) AS total
                  FROM billing_wallet WHERE organization_id IN ({_TOUCHED})
                 GROUP BY organization_id) w
          LEFT JOIN (SELECT organization_id, sum(credits * {signed_terms_sql()}) AS total
                       FROM billing_transfer WHERE organization_id IN ({_TOUCHED})
                      GROUP BY organization_id) t USING (organization_id)
         WHERE w.total <> coalesce(t.total, 0)
    """,  # noqa: S608 (the kinds of our own table)
    "lots are what paid credits are made of": f"""
        SELECT l.reference, format('%s left of %s, %s taken', l.left, l.granted,
                                   coalesce(p.taken, 0))
          FROM billing_lot l
          LEFT JOIN LATERAL (SELECT sum(taken - returned) AS taken
                               FROM billing_lotpart WHERE lot_id = l.id) p ON true
         WHERE l.organization_id IN ({_TOUCHED})
           AND l.left <> l.granted - coalesce(p.taken, 0)
         UNION ALL
        SELECT format('organization %s', w.organization_id),
               format('%s paid, %s in lots', w.balance, coalesce(l.total, 0))
          FROM billing_wallet w
          LEFT JOIN (SELECT organization_id, sum("left") AS total
                       FROM billing_lot GROUP BY organization_id) l USING (organization_id)
         WHERE w.purpose = 'paid' AND w.balance <> coalesce(l.total, 0)
    """,  # noqa: S608 (our own tables)
}
