from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0014_partial_batches_refusals_and_manifests'),
    ]

    operations = [
        migrations.AddField(
            model_name='asset',
            name='conversions',
            field=models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list),
        ),
        migrations.AddField(
            model_name='stagedoutput',
            name='conversions',
            field=models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list),
        ),
    ]
