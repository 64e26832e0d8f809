from django.db import migrations, models


class Migration(migrations.Migration):
    """Alert superusers once the free credits of a day are used up."""

    dependencies = [("accounts", "0020_stored_bytes")]

    operations = [
        migrations.AlterField(
            "alert",
            "kind",
            models.CharField(
                choices=[
                    ("claimed", "agent claimed"),
                    ("handed_over", "agent handed over"),
                    ("token_rotated", "token rotated"),
                    ("cap_near", "80 % of a cap used"),
                    ("cap_reached", "a cap is used up"),
                    ("purchase", "credits bought"),
                    ("refund", "refund"),
                    ("dispute", "dispute"),
                    ("prompt_shown", "staff looked at a prompt"),
                    ("money_role", "role that approves money given"),
                    ("starter_ceiling", "free credits of a day used up"),
                ],
                max_length=24,
            ),
        ),
    ]
