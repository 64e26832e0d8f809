from django.db import migrations, models

_SPELLING = r"""
UPDATE accounts_claimrecipient SET inbox = CASE
    WHEN split_part(address, '@', 2) IN ('gmail.com', 'googlemail.com')
        THEN replace(regexp_replace(split_part(address, '@', 1), '(.)\+.*$', '\1'), '.', '')
             || '@gmail.com'
    ELSE regexp_replace(split_part(address, '@', 1), '(.)\+.*$', '\1')
         || '@' || split_part(address, '@', 2)
END
"""


class Migration(migrations.Migration):
    """Give each recipient the one spelling of its inbox."""

    dependencies = [("accounts", "0016_exports_need_no_table")]

    operations = [
        migrations.AddField(
            "claimrecipient",
            "inbox",
            models.CharField(db_default="", db_index=True, editable=False, max_length=254),
        ),
        migrations.RunSQL(_SPELLING, migrations.RunSQL.noop),
    ]
