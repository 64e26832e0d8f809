from django.db import migrations, models


class Migration(migrations.Migration):
    """Keep with each organization how many bytes of images it stores."""

    dependencies = [("accounts", "0019_tokens_end_with_a_transfer")]

    operations = [
        migrations.AddField(
            "organization",
            "stored_bytes",
            models.PositiveBigIntegerField(db_default=0, default=0, editable=False),
        ),
    ]
