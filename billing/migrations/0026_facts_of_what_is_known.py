"""Fill the facts of refunds and disputes that were applied before their facts were stored.

Until then one credit was one cent of every payment, so that shares in cents are those in credits.
What Stripe says of each is read again at the next event of its payment, and wins.
"""

from django.db import migrations

REVERSALS = """
UPDATE billing_paymentreversal
   SET withdrawn_cents = amount_cents,
       reinstated_cents = CASE WHEN state = 'undone' THEN amount_cents ELSE 0 END
 WHERE kind = 'dispute'
   AND (state IN ('applied', 'lost', 'undone', 'rejected')
        OR (state = 'set_aside' AND stripe_status NOT LIKE 'warning\\_%'
            AND stripe_status NOT IN ('prevented', 'won')));
UPDATE billing_paymentreversal
   SET in_force_cents = CASE WHEN state IN ('applied', 'lost') THEN credits ELSE 0 END,
       credits = CASE WHEN state IN ('applied', 'lost') THEN credits ELSE 0 END,
       state = CASE WHEN kind = 'refund' AND state = 'undone' THEN 'closed' ELSE state END;
"""

PLACES = """
UPDATE billing_taking k SET place = ordered.place
  FROM (SELECT id, row_number() OVER (PARTITION BY receipt_id
                                      ORDER BY cause = 'dispute', id) - 1 AS place
          FROM billing_taking) ordered
 WHERE ordered.id = k.id;
"""

REQUESTS = """
UPDATE billing_refundrequest q
   SET refund_status = left(r.stripe_status, 16),
       failure = CASE WHEN r.stripe_status IN ('failed', 'canceled') THEN r.stripe_status
                      ELSE q.failure END
  FROM billing_paymentreversal r
 WHERE r.id = q.reversal_id;
UPDATE billing_unmatchedpayment SET refunded_cents = amount_cents WHERE state = 'refunded';
"""


class Migration(migrations.Migration):

    dependencies = [("billing", "0025_effects_follow_from_facts")]

    operations = [
        migrations.RunSQL(sql, migrations.RunSQL.noop, elidable=True)
        for sql in (REVERSALS, PLACES, REQUESTS)
    ]
