"""Count the bytes that each organization stores with every change of an asset.

By triggers: whoever writes an asset, in whatever way, locks and changes the count in the same
transaction, and a process of the release before counts too.
"""

from django.db import migrations

# A statement at a time: a load of many assets changes each count once.
COUNT_NEW = """
CREATE FUNCTION jobs_count_new_bytes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts_organization AS owner
       SET stored_bytes = owner.stored_bytes + added.bytes
      FROM (SELECT organization_id, sum(content_length) AS bytes FROM added_assets
             WHERE storage_key <> '' GROUP BY organization_id) AS added
     WHERE owner.id = added.organization_id;
    RETURN NULL;
END $$;
CREATE TRIGGER new_bytes_are_counted AFTER INSERT ON jobs_asset
    REFERENCING NEW TABLE AS added_assets
    FOR EACH STATEMENT EXECUTE FUNCTION jobs_count_new_bytes();
"""
COUNT_CHANGED = """
CREATE FUNCTION jobs_count_changed_bytes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.storage_key <> '' THEN
        UPDATE accounts_organization SET stored_bytes = stored_bytes - OLD.content_length
         WHERE id = OLD.organization_id;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NEW.storage_key <> '' THEN
            UPDATE accounts_organization SET stored_bytes = stored_bytes + NEW.content_length
             WHERE id = NEW.organization_id;
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER changed_bytes_are_counted
    AFTER UPDATE OF storage_key, content_length, organization_id ON jobs_asset FOR EACH ROW
    WHEN ((OLD.storage_key = '') <> (NEW.storage_key = '')
          OR OLD.content_length <> NEW.content_length
          OR OLD.organization_id <> NEW.organization_id)
    EXECUTE FUNCTION jobs_count_changed_bytes();
CREATE TRIGGER removed_bytes_are_counted AFTER DELETE ON jobs_asset FOR EACH ROW
    EXECUTE FUNCTION jobs_count_changed_bytes();
"""
# After the triggers, which keep others from writing assets until this is committed.
COUNT_OLD = """
UPDATE accounts_organization AS owner SET stored_bytes = stored.bytes
  FROM (SELECT organization_id, sum(content_length) AS bytes FROM jobs_asset
         WHERE storage_key <> '' GROUP BY organization_id) AS stored
 WHERE owner.id = stored.organization_id;
"""
UNDO = """
DROP TRIGGER removed_bytes_are_counted ON jobs_asset;
DROP TRIGGER changed_bytes_are_counted ON jobs_asset;
DROP TRIGGER new_bytes_are_counted ON jobs_asset;
DROP FUNCTION jobs_count_changed_bytes();
DROP FUNCTION jobs_count_new_bytes();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0020_stored_bytes"),
        ("jobs", "0015_what_images_need_before_they_leave"),
    ]

    operations = [
        migrations.RunSQL(COUNT_NEW + COUNT_CHANGED, UNDO),
        migrations.RunSQL(COUNT_OLD, migrations.RunSQL.noop),
    ]
