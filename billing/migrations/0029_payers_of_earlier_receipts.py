"""Earlier receipts get their payer: the sponsor who bought, else the sponsor of the agent today."""

from django.db import migrations

FILL = """
ALTER TABLE billing_receipt DISABLE TRIGGER billing_receipt_is_append_only;
UPDATE billing_receipt SET payer_id = coalesce(quote.user_id, organization.owner_id)
FROM billing_quote quote, accounts_organization organization
WHERE quote.id = billing_receipt.quote_id AND organization.id = billing_receipt.organization_id;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE billing_receipt ENABLE TRIGGER billing_receipt_is_append_only;
SET CONSTRAINTS ALL DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0028_receipts_are_documents")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
