from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0013_wallet_totals"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                fields=["organization", "-created_at", "-id"], name="transfer_by_moment"
            ),
        ),
    ]
