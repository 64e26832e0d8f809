from django.db import migrations, models


class Migration(migrations.Migration):
    """Say of a token that it ended with a transfer."""

    dependencies = [("accounts", "0018_money_roles_are_mailed")]

    operations = [
        migrations.AlterField(
            "token",
            "revoked_because",
            models.CharField(
                blank=True,
                choices=[
                    ("rotated", "Rotated"),
                    ("revoked", "Revoked"),
                    ("agent_revoked", "Agent revoked"),
                    ("transferred", "Agent transferred"),
                ],
                max_length=16,
            ),
        ),
    ]
