"""A closed month can be reopened, which is marked on it; what it says is never changed."""

from django.db import migrations

FROZEN = """
CREATE TRIGGER billing_monthclose_is_frozen
    BEFORE DELETE OR UPDATE OF month, version, figures, previous_digest, digest, closed_by_id,
                               closed_at
    ON billing_monthclose FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_figures_by_day")]

    operations = [
        migrations.RunSQL(
            FROZEN, "DROP TRIGGER billing_monthclose_is_frozen ON billing_monthclose;"
        ),
    ]
