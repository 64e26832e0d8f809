"""TRUNCATE fires no row trigger; tables whose rows are final refuse it by one of their own."""

from django.db import migrations

TABLES = ("billing_transfer", "billing_ledgerentry", "billing_receipt", "billing_reversalphase")

REFUSE = """
CREATE TRIGGER {table}_is_never_truncated BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0009_evidence_of_disputes")]

    operations = [
        migrations.RunSQL(
            REFUSE.format(table=table), f"DROP TRIGGER {table}_is_never_truncated ON {table};"
        )
        for table in TABLES
    ]
