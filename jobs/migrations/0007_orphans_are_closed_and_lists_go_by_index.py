from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0006_when_to_try_again"),
    ]

    operations = [
        migrations.AddField(
            model_name="loss",
            name="closed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="asset",
            index=models.Index(fields=["kind", "-id"], name="asset_by_kind"),
        ),
        migrations.AddIndex(
            model_name="assetcheck",
            index=models.Index(
                condition=models.Q(("is_good", False)),
                fields=["checked_at"],
                name="asset_check_failed",
            ),
        ),
        migrations.AddIndex(
            model_name="loss",
            index=models.Index(
                condition=models.Q(("closed_at", None)),
                fields=["reason", "-id"],
                name="loss_open",
            ),
        ),
    ]
