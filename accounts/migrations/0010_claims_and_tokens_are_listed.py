from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_roles_keep_to_their_table"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="claim",
            index=models.Index(fields=["state", "-id"], name="claim_by_state"),
        ),
        migrations.AddIndex(
            model_name="claim",
            index=models.Index(fields=["withheld", "-id"], name="claim_by_withheld"),
        ),
        migrations.AddIndex(
            model_name="token",
            index=models.Index(fields=["agent", "-id"], name="token_of_agent"),
        ),
        migrations.AddIndex(
            model_name="token",
            index=models.Index(fields=["revoked_because", "-id"], name="token_by_end"),
        ),
    ]
