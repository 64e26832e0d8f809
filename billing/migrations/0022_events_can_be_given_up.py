"""Let an event have no next attempt: it is done with, or was tried too often."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0021_takings_are_clawbacks'),
    ]

    operations = [
        migrations.AlterField(
            model_name='stripeevent',
            name='next_attempt_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
