"""Take each default moment from `imageskill.lib.clock`; the database has nothing to change."""

import imageskill.lib.clock
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0012_things_by_their_names'),
    ]

    operations = [
        migrations.AlterField(
            model_name='activityevent',
            name='occurred_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='agent',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='alert',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='auditline',
            name='at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='claim',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='claimrecipient',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='export',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='organization',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='telemetryrow',
            name='at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='token',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='user',
            name='date_joined',
            field=models.DateTimeField(default=imageskill.lib.clock.now, verbose_name='date joined'),
        ),
    ]
