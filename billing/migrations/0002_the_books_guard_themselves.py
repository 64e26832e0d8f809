"""What no code may get around: the house's wallets, entries that balance, and nothing rewritten."""

from django.db import migrations

# Later ones come after each migrate, by `billing.house_wallets`; that may have been here before.
HOUSE = """
INSERT INTO billing_wallet (id, organization_id, purpose, balance) VALUES
    (1000000000000001, NULL, 'promotions', 0),
    (1000000000000002, NULL, 'payments', 0),
    (1000000000000003, NULL, 'revenue', 0),
    (1000000000000004, NULL, 'suspense', 0),
    (1000000000000005, NULL, 'losses', 0),
    (1000000000000006, NULL, 'adjustments', 0)
ON CONFLICT (id) DO NOTHING
"""

# Checked at commit: a transfer has exactly its two entries, which add up to zero. The unique
# index on entries refuses a third one later, so checking at each transfer is enough.
BALANCED = """
CREATE FUNCTION billing_transfer_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken bigint;
    given bigint;
    entries bigint;
BEGIN
    SELECT count(*),
           coalesce(sum(credits) FILTER (WHERE wallet_id = NEW.source_id), 0),
           coalesce(sum(credits) FILTER (WHERE wallet_id = NEW.target_id), 0)
      INTO entries, taken, given
      FROM billing_ledgerentry WHERE transfer_id = NEW.id;
    IF entries <> 2 OR taken <> -NEW.credits OR given <> NEW.credits THEN
        RAISE EXCEPTION 'transfer % does not balance: % entries, % and %',
            NEW.key, entries, taken, given
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_entries_add_up_to_zero';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER transfer_entries_add_up_to_zero
    AFTER INSERT ON billing_transfer DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION billing_transfer_balances();
"""

FINAL = """
CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

TABLES = ("billing_transfer", "billing_ledgerentry")


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0001_ledger"),
        ("accounts", "0002_activity_and_audit_are_append_only"),
    ]

    operations = [
        migrations.RunSQL(HOUSE, "DELETE FROM billing_wallet WHERE organization_id IS NULL"),
        migrations.RunSQL(
            BALANCED,
            "DROP TRIGGER transfer_entries_add_up_to_zero ON billing_transfer;"
            "DROP FUNCTION billing_transfer_balances();",
        ),
        *(
            migrations.RunSQL(
                FINAL.format(table=table), f"DROP TRIGGER {table}_is_append_only ON {table};"
            )
            for table in TABLES
        ),
    ]
