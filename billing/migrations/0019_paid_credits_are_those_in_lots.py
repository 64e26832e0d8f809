"""Paid credits are those in lots: the database refuses a commit that leaves anything else."""

from django.db import migrations

# Checked at commit, when wallets and lots of a movement are both written. Only lots with something
# left are added up: a few rows of a partial index, however long the history.
AGREE = """
CREATE FUNCTION billing_paid_is_in_lots() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    paid bigint;
    in_lots bigint;
BEGIN
    SELECT balance INTO paid FROM billing_wallet
     WHERE organization_id = NEW.organization_id AND purpose = 'paid';
    SELECT coalesce(sum("left"), 0) INTO in_lots FROM billing_lot
     WHERE organization_id = NEW.organization_id AND "left" > 0;
    IF paid IS DISTINCT FROM in_lots THEN
        RAISE EXCEPTION 'organization %: % paid, % in lots', NEW.organization_id, paid, in_lots
            USING ERRCODE = 'check_violation', CONSTRAINT = 'paid_credits_are_those_in_lots',
                  HINT = 'manage.py repair_lots shows why.';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER lot_rests_make_up_the_paid_wallet
    AFTER INSERT OR UPDATE OF "left" ON billing_lot DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION billing_paid_is_in_lots();
CREATE CONSTRAINT TRIGGER paid_wallet_is_made_up_of_lots
    AFTER UPDATE OF balance ON billing_wallet DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.purpose = 'paid' AND NEW.balance <> OLD.balance)
    EXECUTE FUNCTION billing_paid_is_in_lots();
"""
UNDO = """
DROP TRIGGER paid_wallet_is_made_up_of_lots ON billing_wallet;
DROP TRIGGER lot_rests_make_up_the_paid_wallet ON billing_lot;
DROP FUNCTION billing_paid_is_in_lots();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0018_things_by_their_names")]

    operations = [migrations.RunSQL(AGREE, UNDO)]
